using System.Buffers;
using System.Text.Json;
using Dunlin.Contracts.Messages;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>
/// The cheap way out for results: QoS 0, one message in flight; of what comes meanwhile, or without a connection, the newest
/// waits and the rest is dropped. The newest is sent on each new connection, also if it was on the last one: nobody says what
/// became of it, and the next may be long in coming. The buffers are used again for each message; that is safe because the
/// next one starts only after the last is on the wire.
/// </summary>
internal sealed class ResultLane : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly Utf8JsonWriter _writer;
    private readonly MqttApplicationMessage _message;
    private readonly Func<BrokerClient, MqttApplicationMessage, bool> _fits;
    private readonly Lock _gate = new();
    private BrokerClient? _client;
    private Task _inFlight = Task.CompletedTask;
    private Task? _followed;
    private Classification? _newest;
    private bool _isWaiting;

    /// <param name="topic">Of the results.</param>
    /// <param name="fits">Whether the broker takes a message of this size; it is dropped otherwise.</param>
    public ResultLane(string topic, Func<BrokerClient, MqttApplicationMessage, bool> fits)
    {
        _fits = fits;
        _writer = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true });
        _message = new MqttApplicationMessage { Topic = topic, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtMostOnce };
    }

    /// <param name="client">Null closes the lane.</param>
    public void Use(BrokerClient? client)
    {
        lock (_gate)
        {
            _client = client;
            if (client is null) _inFlight = Task.CompletedTask;
            _isWaiting = _newest is not null;
            SendIfFree();
        }
    }

    /// <summary>Sends it now, or when it can be; or never, if a newer one comes first.</summary>
    public void Send(Classification result)
    {
        lock (_gate)
        {
            (_newest, _isWaiting) = (result, true);
            SendIfFree();
        }
    }

    public void Dispose() => _writer.Dispose();

    private void SendIfFree()
    {
        if (!_isWaiting || _client is not { IsConnected: true } client) return;
        if (_inFlight.IsCompleted) Send(client, _newest!);
        else if (_followed != _inFlight) _ = FollowAsync(_inFlight);
    }

    private void Send(BrokerClient client, Classification result)
    {
        _buffer.ResetWrittenCount();
        _writer.Reset();
        ClassificationWriter.Write(_writer, result);
        _writer.Flush();
        _message.Payload = new ReadOnlySequence<byte>(_buffer.WrittenMemory);
        if (_fits(client, _message)) _inFlight = client.SendAsync(_message);
        _isWaiting = false;
    }

    // Only where one waits: this allocates, and most messages are on the wire before the next one comes.
    private async Task FollowAsync(Task inFlight)
    {
        _followed = inFlight;
        await inFlight.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate) SendIfFree();
    }
}
