using Dunlin.Agent.Configuration;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Which hosts this device fetches from, and what it shows to each. Only the local configuration decides; a directive or a server never does.</summary>
internal sealed class HostRules(UpdateOptions options)
{
    /// <summary>An empty list allows every host.</summary>
    public bool IsAllowed(Uri address) => options.AllowedHosts.Count == 0 || options.AllowedHosts.Any(host => Names(host, address));

    /// <summary>Loopback, and hosts that the configuration names, are spoken to without TLS.</summary>
    public bool IsInsecure(Uri address) => address.IsLoopback || options.InsecureHosts.Any(host => Names(host, address));

    /// <summary>The credentials of this very host; null if there are none, or if the connection would show them to others.</summary>
    public HostCredential? CredentialOf(Uri address) => address.Scheme == Uri.UriSchemeHttps || IsInsecure(address)
        ? options.Credentials.FirstOrDefault(credential => Names(credential.Host, address))
        : null;

    /// <summary>For people: the host, with the port where it is not the scheme's.</summary>
    public static string Show(Uri address) => address.Authority;

    private static bool Names(string host, Uri address) => host.Equals(address.Authority, StringComparison.OrdinalIgnoreCase)
        || host.Equals(address.Host, StringComparison.OrdinalIgnoreCase)
        || host.Equals($"{address.Host}:{address.Port}", StringComparison.OrdinalIgnoreCase);
}
