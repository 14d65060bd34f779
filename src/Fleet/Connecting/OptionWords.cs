using Dunlin.Telemetry.Link;

namespace Dunlin.Fleet.Connecting;

/// <summary>The words of <see cref="BrokerOptions"/>, for who does not get to the broker.</summary>
internal static class OptionWords
{
    public static LinkWords Words { get; } = new()
    {
        Program = "dunlin-fleet",
        Clock = "this machine's clock",
        Host = "--broker",
        HostAndPort = "--broker",
        UseTls = "connect with --tls and --keys",
        Authority = "--keys or --ca",
        Files = "--ca, --cert, --cert-key, --password-file and the folder of --keys",
        User = "--user",
        Password = "--password-file",
        ShowCredentials = "connect with --tls and --keys, whose certificate enroll-broker puts into operators.pem, or with --user and --password-file",
        ClientIdAdvice = "allow it at the broker",
    };
}
