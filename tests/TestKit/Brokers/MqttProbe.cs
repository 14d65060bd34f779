using System.Buffers;
using System.Diagnostics;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Waiting;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.TestKit.Brokers;

/// <summary>A client on the other side of the broker: keeps what arrives and publishes what a test wants.</summary>
public sealed class MqttProbe : IAsyncDisposable
{
    private readonly BrokerClient _client = new(TimeProvider.System);
    private readonly Lock _gate = new();
    private readonly List<ProbedMessage> _messages = [];

    private MqttProbe() => _client.MessageReceived += KeepAsync;

    /// <summary>All messages so far, in order of arrival.</summary>
    public IReadOnlyList<ProbedMessage> Messages { get { lock (_gate) return [.. _messages]; } }

    /// <summary>Connects with a clean session and subscribes (QoS 1) to the filters.</summary>
    /// <param name="broker">Where to.</param>
    /// <param name="filters">For example <c>dunlin/v1/#</c>.</param>
    public static Task<MqttProbe> ConnectAsync(MosquittoBroker broker, params string[] filters) =>
        ConnectAsync(broker, _ => { }, filters);

    public static Task<MqttProbe> ConnectAsync(MosquittoBroker broker, Action<MqttClientOptionsBuilder> configure, params string[] filters) =>
        ConnectAsync(broker.Host, broker.Port, configure, filters);

    public static async Task<MqttProbe> ConnectAsync(string host, int port, Action<MqttClientOptionsBuilder> configure, params string[] filters)
    {
        var probe = new MqttProbe();
        var builder = new MqttClientOptionsBuilder().WithTcpServer(host, port)
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).WithClientId("probe-" + Guid.NewGuid().ToString("N"));
        configure(builder);
        var result = await probe._client.ConnectAsync(builder.Build());
        if (result.ResultCode != MqttClientConnectResultCode.Success) throw new IOException($"The broker refused the probe: {result.ResultCode}.");
        if (filters.Length > 0)
        {
            var options = new MqttClientSubscribeOptions
            {
                TopicFilters = [.. filters.Select(f => new MQTTnet.Packets.MqttTopicFilter
                {
                    Topic = f, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, RetainAsPublished = true,
                })],
            };
            await probe._client.SubscribeAsync(options);
        }

        return probe;
    }

    /// <summary>For <see cref="ConnectAsync(MosquittoBroker, Action{MqttClientOptionsBuilder}, string[])"/>: TLS with a client certificate.</summary>
    public static Action<MqttClientOptionsBuilder> WithCertificate(TestPki pki, CertificateFiles files) => WithCertificate(pki.CaFile, files);

    /// <summary>As above, for any authority; null: TLS without a certificate of one's own.</summary>
    public static Action<MqttClientOptionsBuilder> WithCertificate(string authority, CertificateFiles? files) => builder =>
    {
        var trust = new X509Certificate2Collection();
        trust.ImportFromPemFile(authority);
        X509Certificate2Collection own = [];
        if (files is not null)
        {
            using var pem = X509Certificate2.CreateFromPemFile(files.Certificate, files.Key);
            own.Add(X509CertificateLoader.LoadPkcs12(pem.Export(X509ContentType.Pkcs12), null));
        }

        builder.WithTlsOptions(tls => tls.UseTls().WithTrustChain(trust).WithClientCertificates(own).WithRevocationMode(X509RevocationMode.NoCheck));
    };

    /// <summary>Waits for a message on a topic (exact name), the first that fits.</summary>
    public async Task<ProbedMessage> NextAsync(string topic, Func<ProbedMessage, bool>? fits = null, TimeSpan? within = null)
    {
        ProbedMessage? found = null;
        await Eventually.TrueAsync(
            () => (found = Messages.FirstOrDefault(m => m.Topic == topic && (fits?.Invoke(m) ?? true))) is not null,
            $"a fitting message on {topic}; arrived: {string.Join(", ", Messages.Select(m => m.Topic).Distinct())}", within);
        return found!;
    }

    public Task PublishAsync(string topic, string payload, bool retain = false) =>
        PublishAsync(topic, Encoding.UTF8.GetBytes(payload), retain);

    public async Task PublishAsync(string topic, byte[] payload, bool retain = false, string? responseTopic = null, byte[]? correlation = null) =>
        await _client.PublishAsync(new MqttApplicationMessage
        {
            Topic = topic,
            PayloadSegment = payload,
            Retain = retain,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            ResponseTopic = responseTopic,
            CorrelationData = correlation,
        });

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        return ValueTask.CompletedTask;
    }

    private Task KeepAsync(MqttApplicationMessageReceivedEventArgs arrival)
    {
        var message = arrival.ApplicationMessage;
        lock (_gate)
        {
            _messages.Add(new ProbedMessage(
                message.Topic, message.Payload.ToArray(), message.Retain, (int)message.QualityOfServiceLevel,
                message.CorrelationData, message.MessageExpiryInterval)
            {
                UserProperties = (message.UserProperties ?? []).ToDictionary(property => property.Name, property => Encoding.UTF8.GetString(property.ValueBuffer.Span)),
            });
        }

        return Task.CompletedTask;
    }
}

/// <summary>A message as it arrived. <paramref name="Retain"/> is the flag that it was published with.</summary>
public sealed record ProbedMessage(string Topic, byte[] Payload, bool Retain, int Qos, byte[]? Correlation, uint ExpirySeconds)
{
    public IReadOnlyDictionary<string, string> UserProperties { get; init; } = new Dictionary<string, string>();

    /// <summary>Stopwatch timestamp of its arrival.</summary>
    public long Arrived { get; } = Stopwatch.GetTimestamp();

    public string Text => Encoding.UTF8.GetString(Payload);

    public JsonElement Json => JsonElement.Parse(Payload);
}
