using System.ComponentModel.DataAnnotations;
using System.Net;
using Microsoft.Extensions.Options;

namespace Dunlin.Telemetry.Link;

/// <summary>Section <c>Mqtt</c>: the broker, and how this device proves who it is. The client id is the device id.</summary>
public sealed class MqttOptions : IValidatableObject
{
    public const string Section = "Mqtt";

    /// <summary>Host name or address; with TLS the name that the broker's certificate must carry. Empty: no broker.</summary>
    public string Host { get; set; } = "localhost";

    /// <summary>0 means 8883 with TLS and 1883 without.</summary>
    [Range(0, 65535, ErrorMessage = "must be 0 to 65535")]
    public int Port { get; set; }

    /// <summary>Encrypt, and check the broker's certificate.</summary>
    public bool Tls { get; set; }

    /// <summary>PEM certificates of the authorities to trust, and no others; empty: the system's.</summary>
    public string CaFile { get; set; } = "";

    /// <summary>A DER list of revoked certificates, or PEM lists, one for each authority that revoked any; empty: none is checked.</summary>
    public string CrlFile { get; set; } = "";

    /// <summary>PEM certificate of this device; its CN is the device id.</summary>
    public string CertificateFile { get; set; } = "";

    /// <summary>PEM key of <see cref="CertificateFile"/>.</summary>
    public string KeyFile { get; set; } = "";

    /// <summary>Empty: none is sent.</summary>
    public string UserName { get; set; } = "";

    /// <summary>Better kept in <see cref="PasswordFile"/>. Never logged.</summary>
    public string Password { get; set; } = "";

    /// <summary>A file whose first line is the password; it is read at each connection.</summary>
    public string PasswordFile { get; set; } = "";

    /// <summary>Seconds within which a dead link is noticed.</summary>
    [Range(2, 3600, ErrorMessage = "must be 2 to 3600 s")]
    public int KeepAliveSeconds { get; set; } = 30;

    /// <summary>Seconds over which a fleet comes back to a broker that was away; a small fleet need not wait as long.</summary>
    [Range(1, 3600, ErrorMessage = "must be 1 to 3600 s")]
    public int ReconnectSeconds { get; set; } = 75;

    /// <summary>Seconds that the broker keeps subscriptions and queued messages while the device is away.</summary>
    [Range(60, 604_800, ErrorMessage = "must be 60 to 604800 s")]
    public int SessionExpirySeconds { get; set; } = 86_400;

    /// <summary>Bytes that telemetry waiting for the broker may take on disk.</summary>
    [Range(65_536, 1L << 32, ErrorMessage = "must be 65536 to 4294967296 bytes")]
    public long OutboxByteCount { get; set; } = 16 * 1024 * 1024;

    /// <summary>Seconds after which the broker may throw away telemetry that it could not deliver.</summary>
    [Range(60, 604_800, ErrorMessage = "must be 60 to 604800 s")]
    public int TelemetryExpirySeconds { get; set; } = 86_400;

    internal int EffectivePort => Port != 0 ? Port : Tls ? 8883 : 1883;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (!IsAlone(Host))
            yield return new ValidationResult("must be a name or an address alone, without scheme, port and path, as in Mqtt:Host=broker.example and Mqtt:Port=1883", [nameof(Host)]);
        if (CertificateFile.Length > 0 != KeyFile.Length > 0)
            yield return new ValidationResult("must be given together with KeyFile", [nameof(CertificateFile)]);
        if (!Tls && (CaFile + CrlFile + CertificateFile).Length > 0)
            yield return new ValidationResult("must be true where CaFile, CrlFile or CertificateFile is given", [nameof(Tls)]);
        if (Password.Length > 0 && PasswordFile.Length > 0)
            yield return new ValidationResult("must be empty where Password is given", [nameof(PasswordFile)]);
        if ((Password + PasswordFile).Length > 0 && UserName.Length == 0)
            yield return new ValidationResult("must be given where a password is", [nameof(UserName)]);
    }

    /// <summary>Of colons only IPv6 addresses have any, which <see cref="IPAddress"/> also parses with a port behind brackets.</summary>
    private static bool IsAlone(string host) => !host.Contains('/', StringComparison.Ordinal)
        && (!host.Contains(':', StringComparison.Ordinal) || (IPAddress.TryParse(host, out _) && !host.Contains("]:", StringComparison.Ordinal)));
}

[OptionsValidator]
public sealed partial class MqttOptionsValidator : IValidateOptions<MqttOptions>;
