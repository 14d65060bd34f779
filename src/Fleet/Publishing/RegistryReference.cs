using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Text.RegularExpressions;

namespace Dunlin.Fleet.Publishing;

/// <summary><c>oci://host[:port]/repository[:tag]</c>; names and tags by the OCI distribution specification 1.1.</summary>
internal sealed partial record RegistryReference(string Host, string Repository, string? Tag)
{
    public const string Scheme = "oci://";

    /// <summary>As a directive names it: without tag, since blobs are asked for by digest.</summary>
    public string Location => $"{Scheme}{Host}/{Repository}";

    /// <summary>A registry on this machine is spoken to without TLS, as other tools do.</summary>
    public bool IsLoopback
    {
        get
        {
            var name = new Uri($"http://{Host}").Host.Trim('[', ']');
            return name == "localhost" || (IPAddress.TryParse(name, out var address) && IPAddress.IsLoopback(address));
        }
    }

    public static bool TryParse(string text, [NotNullWhen(true)] out RegistryReference? reference)
    {
        reference = null;
        var match = Pattern().Match(text);
        if (!match.Success || !Uri.TryCreate($"http://{match.Groups["host"].Value}", UriKind.Absolute, out _)) return false;
        reference = new RegistryReference(match.Groups["host"].Value, match.Groups["repository"].Value, match.Groups["tag"] is { Success: true, Value: var tag } ? tag : null);
        return true;
    }

    [GeneratedRegex(@"\Aoci://(?<host>[A-Za-z0-9.\-]+(:\d{1,5})?|\[[0-9a-fA-F:]+\](:\d{1,5})?)/(?<repository>[a-z0-9]+([._\-/]+[a-z0-9]+)*)(:(?<tag>[A-Za-z0-9_][A-Za-z0-9._\-]{0,127}))?\z")]
    private static partial Regex Pattern();
}
