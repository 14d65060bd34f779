using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.Agent.Tests.Updates.Fetching;

/// <summary>The fleet's side of topic <c>blob</c> for one blob, as fickle as a test wants it.</summary>
internal sealed class BlobAnswerer : IAsyncDisposable
{
    private readonly BrokerClient _client = new(TimeProvider.System);
    private readonly SampleBlob _blob;
    private readonly Topics _topics;
    private int _requestCount;
    private long _askedByteCount;

    private BlobAnswerer(SampleBlob blob, Topics topics) => (_blob, _topics) = (blob, topics);

    internal int RequestCount => Volatile.Read(ref _requestCount);

    internal long AskedByteCount => Volatile.Read(ref _askedByteCount);

    /// <summary>May change an answer, or keep it back by giving null, by the request's number.</summary>
    internal Func<int, MqttApplicationMessage, MqttApplicationMessage?> Twist { get; set; } = (_, answer) => answer;

    /// <summary>Each answer is sent so many times.</summary>
    internal int Copies { get; set; } = 1;

    internal static async Task<BlobAnswerer> StartAsync(MosquittoBroker broker, SampleBlob blob, Topics topics)
    {
        var answerer = new BlobAnswerer(blob, topics);
        answerer._client.MessageReceived += answerer.AnswerAsync;
        await answerer._client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer(broker.Host, broker.Port)
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500).WithClientId("fleet").Build());
        await answerer._client.SubscribeAsync(topics.Blob);
        return answerer;
    }

    public async ValueTask DisposeAsync()
    {
        await _client.DisconnectAsync();
        _client.Dispose();
    }

    private async Task AnswerAsync(MqttApplicationMessageReceivedEventArgs arrival)
    {
        var request = JsonSerializer.Deserialize(arrival.ApplicationMessage.Payload.ToArray(), MessageJson.Default.BlobRequest)!;
        Interlocked.Add(ref _askedByteCount, request.Length);
        var isKnown = request.Digest == _blob.Blob.Digest;
        var message = new MqttApplicationMessageBuilder().WithTopic(_topics.BlobData).WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce)
            .WithCorrelationData(arrival.ApplicationMessage.CorrelationData)
            .WithPayload(isKnown ? _blob.Content[(int)request.Offset..((int)request.Offset + request.Length)] : [])
            .WithUserProperty("digest", System.Text.Encoding.UTF8.GetBytes(request.Digest.ToString()))
            .WithUserProperty("offset", System.Text.Encoding.UTF8.GetBytes(request.Offset.ToString(CultureInfo.InvariantCulture)));
        if (!isKnown) message = message.WithUserProperty("error", "blob.unknown"u8.ToArray());
        if (Twist(Interlocked.Increment(ref _requestCount), message.Build()) is not { } answer) return;
        for (var i = 0; i < Copies; i++) await _client.PublishAsync(answer);
    }
}
