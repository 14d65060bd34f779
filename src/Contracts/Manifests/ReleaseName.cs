using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Manifests;

/// <summary>What a release is called, and where it stands among others.</summary>
/// <param name="Name">Of the classifier.</param>
/// <param name="Version">Rises with every release.</param>
/// <param name="Label">The version that people say.</param>
/// <param name="SecurityEpoch">A device that has committed it takes none of a lower epoch.</param>
public sealed record ReleaseName(string Name, int Version, string Label, int SecurityEpoch = 1)
{
    /// <summary>What a manifest may not have of it, before there is a manifest.</summary>
    public IReadOnlyList<DocumentError> FindErrors()
    {
        var findings = new Findings();
        ManifestRules.Check(this, findings);
        return findings.Errors;
    }
}
