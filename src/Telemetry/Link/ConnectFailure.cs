using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using MQTTnet;
using MQTTnet.Exceptions;

namespace Dunlin.Telemetry.Link;

/// <summary>Turns failures to connect into a sentence that says what to do.</summary>
internal static class ConnectFailure
{
    public static string Describe(MqttOptions options, LinkWords words, string device, MqttClientConnectResultCode code, string? reason)
    {
        var what = code switch
        {
            MqttClientConnectResultCode.BadUserNameOrPassword =>
                $"does not know user '{options.UserName}' with this password; check {words.User} and {words.Password}",
            // Mosquitto says this of a wrong password too.
            MqttClientConnectResultCode.NotAuthorized when options.UserName.Length > 0 =>
                $"does not let user '{options.UserName}' in; check its password ({words.Password}) and the broker's access list",
            MqttClientConnectResultCode.NotAuthorized =>
                $"does not let {Caller(options, device)} in; {words.ShowCredentials}",
            MqttClientConnectResultCode.ClientIdentifierNotValid =>
                $"refuses the client id '{device}'; {words.ClientIdAdvice}",
            MqttClientConnectResultCode.UnsupportedProtocolVersion => "does not speak MQTT 5; use a broker that does (Mosquitto from 2.0)",
            MqttClientConnectResultCode.BadAuthenticationMethod => $"wants an authentication method that {words.Program} lacks; allow user name and password or client certificates",
            MqttClientConnectResultCode.Banned => $"has banned the client '{device}'; lift the ban at the broker",
            MqttClientConnectResultCode.RetainNotSupported or MqttClientConnectResultCode.QoSNotSupported =>
                "does not take retained messages with QoS 1, which status needs; allow them at the broker",
            MqttClientConnectResultCode.ServerUnavailable or MqttClientConnectResultCode.ServerBusy
                or MqttClientConnectResultCode.ConnectionRateExceeded or MqttClientConnectResultCode.QuotaExceeded =>
                $"has no room now ({code}); {words.Program} tries again",
            MqttClientConnectResultCode.UseAnotherServer or MqttClientConnectResultCode.ServerMoved =>
                $"has moved; set {words.Host} to its new name",
            _ => $"refused the connection ({code}); look into the broker's log",
        };
        return $"Broker {Address(options)} {what}{(string.IsNullOrEmpty(reason) ? "" : $" (it says: {Clip(reason)})")}.";
    }

    public static string Describe(MqttOptions options, LinkWords words, string device, Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
        {
            if (e is BrokerTrustException) return e.Message;
            if (e is SocketException socket) return $"Broker {Address(options)} {Describe(options, words, socket.SocketErrorCode)}.";
            if (e is AuthenticationException || (e is CryptographicException && e.Message.Contains("SSL routines", StringComparison.Ordinal)))
                return $"Broker {Address(options)} broke off the TLS handshake ({Clip(e.Message)}); check that it speaks TLS on this port and accepts {Caller(options, device)}{Otherwise(options, words)}.";
            if (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException or CryptographicException)
                return $"The link's files cannot be used: {Clip(e.Message)} Check {words.Files}.";
            if (e is OperationCanceledException or TimeoutException or MqttCommunicationTimedOutException)
                return $"Broker {Address(options)} did not answer in time; check the network, and that it is an MQTT broker.";
        }

        var hint = options.Tls
            ? $"; check that it accepts {Caller(options, device)}{Otherwise(options, words)}"
            : $"; check that the port is an MQTT port without TLS, or {words.UseTls}";
        return $"Broker {Address(options)} closed the connection before it was made ({Clip(failure.Message)}){hint}.";
    }

    /// <summary>Why an established connection ended, as the rest of a sentence.</summary>
    public static string Describe(MqttOptions options, string device, MqttClientDisconnectedEventArgs end)
    {
        var (reason, said) = (end.Reason, end.ReasonString);
        var what = reason switch
        {
            MqttClientDisconnectReason.NormalDisconnection when end.Exception is { } failure => $"it broke ({Clip(failure.GetBaseException().Message)})",
            // Or reset: MQTTnet does not tell the one from the other.
            MqttClientDisconnectReason.NormalDisconnection => "it was closed without a reason",
            MqttClientDisconnectReason.AdministrativeAction => "somebody ended it at the broker; the agent connects again",
            MqttClientDisconnectReason.ServerShuttingDown => "the broker shuts down; the agent connects again",
            MqttClientDisconnectReason.KeepAliveTimeout => "the broker heard nothing of the agent in time; check the network",
            MqttClientDisconnectReason.NotAuthorized =>
                $"the broker does not let {Caller(options, device)} in any more; look at its access list",
            MqttClientDisconnectReason.ServerBusy or MqttClientDisconnectReason.QuotaExceeded or MqttClientDisconnectReason.MessageRateTooHigh
                or MqttClientDisconnectReason.ConnectionRateExceeded => $"the broker has no room now ({reason}); the agent connects again",
            MqttClientDisconnectReason.PacketTooLarge => "a message was larger than the broker takes; raise its limit (Mosquitto: max_packet_size)",
            MqttClientDisconnectReason.UseAnotherServer or MqttClientDisconnectReason.ServerMoved => "the broker has moved; set Mqtt:Host to its new name",
            MqttClientDisconnectReason.UnspecifiedError => "it broke",
            _ => $"the broker ended it ({reason}); look into its log",
        };
        return string.IsNullOrEmpty(said) ? what : $"{what} (it says: {Clip(said)})";
    }

    /// <summary>Whether the network failed before it came to the broker: other devices need not see that.</summary>
    public static bool IsOfThisDevice(Exception failure) => SocketErrorOf(failure) is SocketError.NetworkDown or SocketError.NetworkUnreachable
        or SocketError.HostUnreachable or SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery;

    /// <summary>Null if it is none of a socket.</summary>
    public static SocketError? SocketErrorOf(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
            if (e is SocketException socket) return socket.SocketErrorCode;
        return null;
    }

    public static string Address(MqttOptions options) => $"{options.Host}:{options.EffectivePort}";

    private static string Caller(MqttOptions options, string device) => options switch
    {
        { CertificateFile.Length: > 0 } => $"the certificate in {options.CertificateFile}",
        { UserName.Length: > 0 } => $"user '{options.UserName}'",
        _ => $"'{device}' without a user name",
    };

    private static bool ShowsNothing(MqttOptions options) => (options.CertificateFile + options.UserName).Length == 0;

    private static string Otherwise(MqttOptions options, LinkWords words) => ShowsNothing(options) ? $", or {words.ShowCredentials}" : "";

    // A broker that expects TLS, or a certificate, may break the connection without a word.
    private static string InVain(MqttOptions options, LinkWords words) => options switch
    {
        { Tls: false } => $"; if in vain, check that the port is an MQTT port without TLS, or {words.UseTls}",
        _ when ShowsNothing(options) => $"; if in vain, {words.ShowCredentials}",
        _ => "",
    };

    private static string Describe(MqttOptions options, LinkWords words, SocketError error) => error switch
    {
        SocketError.ConnectionRefused => $"refuses connections: nothing listens there; start the broker, or check {words.HostAndPort}",
        SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain => $"has a name that does not resolve; check {words.Host} and the name server",
        SocketError.NetworkUnreachable or SocketError.HostUnreachable => "cannot be reached; check the network",
        SocketError.TimedOut => "did not answer in time; check the network",
        _ => $"broke the connection ({error}); {words.Program} tries again{InVain(options, words)}",
    };

    private static string Clip(string text) => text.Length <= 200 ? text : text[..200] + "…";
}
