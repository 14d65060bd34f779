using System.ComponentModel.DataAnnotations;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Updates</c>.</summary>
public sealed class UpdateOptions : IValidatableObject
{
    public const string Section = "Updates";
    private const string HostRule = "must be a host name or address, with :port where needed, and nothing else";

    /// <summary>Run a bundle that nobody signed, on a device that has no trusted root. Never with a root.</summary>
    public bool AllowUnsigned { get; set; }

    /// <summary>Seconds that a new release must stay healthy before it is committed; a directive may ask for more.</summary>
    [Range(1, 604_800)]
    public int TrialSeconds { get; set; } = 60;

    /// <summary>Inferences that a trial must have made; a directive may ask for more.</summary>
    [Range(1, 1_000_000_000)]
    public int MinimumRuns { get; set; } = 100;

    /// <summary>Releases that may be tried within <see cref="InstallIntervalSeconds"/>; whoever has stolen the online key cannot wear the board out.</summary>
    [Range(1, 100_000)]
    public int MaximumInstalls { get; set; } = 12;

    /// <summary>Seconds over which <see cref="MaximumInstalls"/> counts.</summary>
    [Range(1, 2_592_000)]
    public int InstallIntervalSeconds { get; set; } = 3600;

    /// <summary>Hosts (<c>host</c> or <c>host:port</c>) that artifacts, redirects and tokens may come from; empty: any that a signed directive names.</summary>
    public IList<string> AllowedHosts { get; set; } = [];

    /// <summary>Hosts whose registries are spoken to without TLS, and that may see credentials so. Loopback always is.</summary>
    public IList<string> InsecureHosts { get; set; } = [];

    /// <summary>What this device shows to which host.</summary>
    public IList<HostCredential> Credentials { get; set; } = [];

    /// <summary>PEM certificates of the authorities to trust for artifact hosts, and no others; empty: the system's.</summary>
    public string ArtifactCaFile { get; set; } = "";

    /// <summary>Megabytes (10⁶ bytes) that the files of one release may have.</summary>
    [Range(1, 1_000_000)]
    public int MaximumFetchMegabytes { get; set; } = 2000;

    /// <summary>Hours that fetching one release may take.</summary>
    [Range(0.01, 720)]
    public double MaximumFetchHours { get; set; } = 24;

    /// <summary>Hours without a single new chunk after which a fetch is given up.</summary>
    [Range(0.01, 720)]
    public double FetchPatienceHours { get; set; } = 6;

    /// <summary>Megabytes (10⁶ bytes) of disk that a fetch leaves free.</summary>
    [Range(1, 1_000_000)]
    public int DiskReserveMegabytes { get; set; } = 4;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        foreach (var (name, hosts) in new[] { (nameof(AllowedHosts), AllowedHosts), (nameof(InsecureHosts), InsecureHosts) })
        {
            for (var i = 0; i < hosts.Count; i++)
            {
                if (!IsHost(hosts[i])) yield return new ValidationResult(HostRule, [$"{name}:{i}"]);
            }
        }
        for (var i = 0; i < Credentials.Count; i++)
        {
            // The value of a broken rule is shown: rules about secrets are told of the host.
            var credential = Credentials[i];
            var host = $"{nameof(Credentials)}:{i}:{nameof(HostCredential.Host)}";
            if (!IsHost(credential.Host)) yield return new ValidationResult(HostRule, [host]);
            if (credential.SecretCount != 1) yield return new ValidationResult("must have exactly one of Password, PasswordFile, Token and TokenFile", [host]);
            if (credential.IsToken == credential.UserName.Length > 0) yield return new ValidationResult("must have a UserName with a password, and none with a token", [host]);
            if (Credentials.Take(i).Any(other => other.Host.Equals(credential.Host, StringComparison.OrdinalIgnoreCase)))
                yield return new ValidationResult("must not stand twice", [host]);
        }
        if (ArtifactCaFile.Length > 0 && !File.Exists(ArtifactCaFile)) yield return new ValidationResult("must name a file that exists", [nameof(ArtifactCaFile)]);
    }

    private static bool IsHost(string host) => host.Length is > 0 and <= 260 && !host.Contains('@', StringComparison.Ordinal)
        && Uri.TryCreate($"https://{host}/", UriKind.Absolute, out var uri) && uri.AbsolutePath == "/" && uri.Query.Length == 0 && uri.Fragment.Length == 0
        && (host.Equals(uri.Authority, StringComparison.OrdinalIgnoreCase) || host.Equals($"{uri.Host}:{uri.Port}", StringComparison.OrdinalIgnoreCase));
}
