using System.Text.Json;
using System.Threading.Channels;
using Dunlin.Contracts;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using MQTTnet;

namespace Dunlin.Torture.Windows;

/// <summary>The operator's side: takes each window as it arrives and keeps only its number.</summary>
internal sealed class SequenceReader : IDisposable
{
    private readonly BrokerClient _client = new(TimeProvider.System);
    private readonly Channel<long> _arrived = Channel.CreateUnbounded<long>();
    private long _last;

    private SequenceReader() => _client.MessageReceived += message =>
    {
        _arrived.Writer.TryWrite(JsonSerializer.Deserialize(message.ApplicationMessage.Payload.FirstSpan, MessageJson.Default.TelemetryWindow)!.Sequence);
        return Task.CompletedTask;
    };

    public static async Task<SequenceReader> StartAsync(MosquittoBroker broker, string topic, CancellationToken cancellationToken)
    {
        var reader = new SequenceReader();
        await reader._client.ConnectAsync(new MqttClientOptionsBuilder().WithTcpServer(broker.Host, broker.Port).Build(), cancellationToken);
        await reader._client.SubscribeAsync(topic, cancellationToken);
        return reader;
    }

    /// <summary>Waits for one window.</summary>
    /// <exception cref="InvalidDataException">It is not the one that follows the last.</exception>
    public async Task NextAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        var next = await _arrived.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(within, cancellationToken);
        if (_last != 0 && next != _last + 1) throw new InvalidDataException($"After window {_last} came window {next}.");
        _last = next;
    }

    public void Dispose() => _client.Dispose();
}
