namespace Dunlin.Contracts.Manifests;

/// <summary>What a release is called.</summary>
/// <param name="Name">Of the classifier.</param>
/// <param name="Version">Rises with every release.</param>
/// <param name="Label">The version that people say.</param>
public sealed record ReleaseName(string Name, int Version, string Label);
