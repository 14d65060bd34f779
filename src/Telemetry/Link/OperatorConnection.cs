using System.Net;
using System.Text;
using MQTTnet;
using MQTTnet.Formatter;

namespace Dunlin.Telemetry.Link;

/// <summary>How an operator's tool connects: the device's transport and trust, a session that ends with it, no will.</summary>
public static class OperatorConnection
{
    private const int MaximumPacketByteCount = 1024 * 1024;

    /// <param name="options">Broker, trust and credentials.</param>
    /// <param name="words">Of the program that connects.</param>
    /// <param name="clientId">Of the session.</param>
    /// <param name="now">The time at which the broker's certificate is judged.</param>
    /// <exception cref="IOException">The password file cannot be read.</exception>
    public static MqttClientOptions Options(MqttOptions options, LinkWords words, string clientId, Func<DateTimeOffset> now) => new()
    {
        ClientId = clientId,
        ProtocolVersion = MqttProtocolVersion.V500,
        CleanSession = true,
        KeepAlivePeriod = TimeSpan.FromSeconds(options.KeepAliveSeconds),
        Timeout = TimeSpan.FromSeconds(10),
        MaximumPacketSize = MaximumPacketByteCount,
        Credentials = options.UserName.Length == 0 ? null : new MqttClientCredentials(options.UserName, Encoding.UTF8.GetBytes(Password(options))),
        ChannelOptions = new MqttClientTcpOptions
        {
            RemoteEndpoint = new DnsEndPoint(options.Host, options.EffectivePort),
            StreamProvider = new BrokerConnector(options, words, MaximumPacketByteCount, now),
        },
    };

    /// <summary>Why it failed and what to do, for people.</summary>
    public static string Describe(MqttOptions options, LinkWords words, string clientId, Exception failure) => ConnectFailure.Describe(options, words, clientId, failure);

    /// <summary>As above, for a broker that answered no.</summary>
    public static string Describe(MqttOptions options, LinkWords words, string clientId, MqttClientConnectResult result) =>
        ConnectFailure.Describe(options, words, clientId, result.ResultCode, result.ReasonString);

    /// <summary>The broker's certificate does not hold: it will not a second later either.</summary>
    public static bool IsRefusal(Exception failure)
    {
        for (var e = failure; e is not null; e = e.InnerException)
            if (e is BrokerTrustException) return true;
        return false;
    }

    /// <summary>The broker has looked at the credentials and says no.</summary>
    public static bool IsRefusal(MqttClientConnectResult result) =>
        result.ResultCode is MqttClientConnectResultCode.BadUserNameOrPassword or MqttClientConnectResultCode.NotAuthorized or MqttClientConnectResultCode.Banned;

    internal static string Password(MqttOptions options) =>
        options.PasswordFile.Length > 0 ? File.ReadLines(options.PasswordFile).FirstOrDefault() ?? "" : options.Password;
}
