using System.Text.Json.Serialization;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Bundles.Layouts;

// The parts of the OCI image specification 1.1 that a bundle uses. Other tools add members (annotations, platform):
// those are ignored here, since nothing is believed that a digest does not confirm.

internal sealed record OciLayout
{
    public const string FileName = "oci-layout";
    public const string CurrentVersion = "1.0.0";

    public required string ImageLayoutVersion { get; init; }
}

internal sealed record OciIndex
{
    public const string FileName = "index.json";
    public const string Type = "application/vnd.oci.image.index.v1+json";

    public required int SchemaVersion { get; init; }
    public string? MediaType { get; init; }
    public required IReadOnlyList<OciDescriptor> Manifests { get; init; }
}

internal sealed record OciImage
{
    public const string Type = "application/vnd.oci.image.manifest.v1+json";

    public required int SchemaVersion { get; init; }
    public string? MediaType { get; init; }
    public string? ArtifactType { get; init; }
    public required OciDescriptor Config { get; init; }
    public required IReadOnlyList<OciDescriptor> Layers { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

internal sealed record OciDescriptor
{
    public required string MediaType { get; init; }
    public required Digest Digest { get; init; }
    public required long Size { get; init; }
    public string? ArtifactType { get; init; }
    public IReadOnlyDictionary<string, string>? Annotations { get; init; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    AllowDuplicateProperties = false,
    MaxDepth = 16)]
[JsonSerializable(typeof(OciLayout))]
[JsonSerializable(typeof(OciIndex))]
[JsonSerializable(typeof(OciImage))]
internal sealed partial class OciJson : JsonSerializerContext;
