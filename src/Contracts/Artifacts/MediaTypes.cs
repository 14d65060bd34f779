namespace Dunlin.Contracts.Artifacts;

/// <summary>The media types of a bundle's parts and of signed payloads.</summary>
public static class MediaTypes
{
    public const string Bundle = "application/vnd.dunlin.bundle.v1+json";
    public const string Manifest = "application/vnd.dunlin.manifest.v1+json";
    public const string Variant = "application/vnd.dunlin.variant.v1+onnx";
    public const string Labels = "application/vnd.dunlin.labels.v1+json";
    public const string Golden = "application/vnd.dunlin.golden.v1";
    public const string Signature = "application/vnd.dunlin.signature.v1+dsse";
    public const string Root = "application/vnd.dunlin.root.v1+json";
    public const string Directive = "application/vnd.dunlin.directive.v1+json";
    public const string Fresh = "application/vnd.dunlin.fresh.v1+json";
    public const string Command = "application/vnd.dunlin.command.v1+json";
}
