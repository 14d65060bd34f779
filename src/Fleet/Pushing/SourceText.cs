using System.Diagnostics.CodeAnalysis;
using Dunlin.Contracts.Signing;

namespace Dunlin.Fleet.Pushing;

/// <summary>Sources as they are written: <c>oci://host[:port]/repository</c>, <c>http(s)://…/layout</c>, <c>mqtt</c>.</summary>
internal static class SourceText
{
    public const string Rule = "oci://host[:port]/repository, an http:// or https:// URL of a layout folder, or mqtt";

    public static bool TryParse(string? text, [NotNullWhen(true)] out ArtifactSource? source)
    {
        source = null;
        if (text == "mqtt")
        {
            source = new ArtifactSource { Kind = SourceKind.Mqtt };
            return true;
        }

        if (!Uri.TryCreate(text, UriKind.Absolute, out var uri) || uri.Host.Length == 0 || (uri.UserInfo + uri.Query + uri.Fragment).Length > 0) return false;
        SourceKind? kind = uri.Scheme switch { "oci" => SourceKind.Oci, "http" or "https" => SourceKind.Http, _ => null };
        if (kind is not { } known || (known == SourceKind.Oci && uri.AbsolutePath.Length < 2)) return false;
        source = new ArtifactSource { Kind = known, Location = text.TrimEnd('/') };
        return true;
    }

    public static string Write(ArtifactSource source) => source.Location ?? "mqtt";
}
