using System.Buffers;
using System.Text.Json;
using Dunlin.Contracts.Messages;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>
/// The cheap way out for results: QoS 0, one message in flight, everything else dropped. The buffers are
/// used again for each message; that is safe because the next one starts only after the last is on the wire.
/// </summary>
internal sealed class ResultLane : IDisposable
{
    private readonly ArrayBufferWriter<byte> _buffer = new(1024);
    private readonly Utf8JsonWriter _writer;
    private readonly MqttApplicationMessage _message;
    private readonly Lock _gate = new();
    private BrokerClient? _client;
    private Task _inFlight = Task.CompletedTask;

    public ResultLane(string topic)
    {
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
        }
    }

    public bool TrySend(Classification result)
    {
        lock (_gate)
        {
            if (!CanSend()) return false;
            _writer.Reset();
            ClassificationWriter.Write(_writer, result);
            _writer.Flush();
            return Send();
        }
    }

    public void Dispose() => _writer.Dispose();

    private bool CanSend()
    {
        if (_client is not { IsConnected: true } || !_inFlight.IsCompleted) return false;
        _buffer.ResetWrittenCount();
        return true;
    }

    private bool Send()
    {
        _message.Payload = new ReadOnlySequence<byte>(_buffer.WrittenMemory);
        _inFlight = _client!.SendAsync(_message);
        if (_inFlight.IsFaulted)
        {
            _ = _inFlight.Exception;
            return false;
        }

        return true;
    }
}
