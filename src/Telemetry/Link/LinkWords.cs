namespace Dunlin.Telemetry.Link;

/// <summary>What a program calls itself, its place and the settings of its link, for sentences that say what to do.</summary>
public sealed record LinkWords
{
    /// <summary>Of the device: keys of its configuration.</summary>
    public static LinkWords Agent { get; } = new()
    {
        Program = "the agent",
        Clock = "this board's clock",
        Host = "Mqtt:Host",
        HostAndPort = "Mqtt:Host and Mqtt:Port",
        UseTls = "set Mqtt:Tls",
        Authority = "Mqtt:CaFile",
        Files = "Mqtt:CaFile, Mqtt:CrlFile, Mqtt:CertificateFile, Mqtt:KeyFile and Mqtt:PasswordFile",
        User = "Mqtt:UserName",
        Password = "Mqtt:PasswordFile",
        ShowCredentials = "set Mqtt:UserName and a password or Mqtt:CertificateFile, or add the device to the broker's access list",
        ClientIdAdvice = "check Device:Id against the broker's rule",
    };

    public required string Program { get; init; }

    /// <summary>What a certificate's dates are held against.</summary>
    public required string Clock { get; init; }

    public required string Host { get; init; }

    public required string HostAndPort { get; init; }

    /// <summary>An advice: for a broker that speaks TLS.</summary>
    public required string UseTls { get; init; }

    public required string Authority { get; init; }

    /// <summary>All that name a file.</summary>
    public required string Files { get; init; }

    public required string User { get; init; }

    public required string Password { get; init; }

    /// <summary>An advice: for a broker that wants to know who calls.</summary>
    public required string ShowCredentials { get; init; }

    public required string ClientIdAdvice { get; init; }
}
