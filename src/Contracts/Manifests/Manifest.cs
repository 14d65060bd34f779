using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Manifests;

/// <summary>
/// What a release is: the config blob of its OCI image, byte-identical to the payload of its signature.
/// The release id is the digest of these bytes. Unknown fields are refused.
/// </summary>
public sealed record Manifest
{
    public const string CurrentSchema = "dunlin.manifest.v1";
    public const string ImageClassification = "image-classification";

    /// <summary>The bytes that were read are what is signed and named, never bytes written again.</summary>
    public static DocumentFormat<Manifest> Format { get; } = new("manifest", 4 * 1024 * 1024, StrictJson.Default.Manifest, ManifestRules.Check);

    public required string Schema { get; init; }

    /// <summary>The classifier's name, <c>[a-z0-9][a-z0-9-]{0,62}</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Rises with every release of the same name.</summary>
    public required int Version { get; init; }

    /// <summary>The version that people say, for example 1.4.0.</summary>
    public required string Label { get; init; }

    /// <summary>Releases below a device's epoch floor are never activated.</summary>
    public required int SecurityEpoch { get; init; }

    /// <summary>The oldest agent that can run this release, for example 0.1.0.</summary>
    public required string MinAgent { get; init; }

    /// <summary>Only <see cref="ImageClassification"/> so far.</summary>
    public required string Task { get; init; }

    public required DateTimeOffset Created { get; init; }

    public required InputSpec Input { get; init; }

    public required OutputSpec Output { get; init; }

    /// <summary>A JSON array of the class names, in the order of the output.</summary>
    public required Blob Labels { get; init; }

    public required GoldenSpec Golden { get; init; }

    /// <summary>Top-1 in 0…1 that a variant must have on the workstation to be raced; a device may demand more.</summary>
    public required double AccuracyFloor { get; init; }

    public required IReadOnlyList<Variant> Variants { get; init; }

    /// <summary>The release id: the digest of the manifest's bytes.</summary>
    public static Digest ReleaseId(ReadOnlySpan<byte> json) => Digest.Of(json);
}
