using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using MQTTnet;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>
/// The device's connection to its broker: made, kept and made again by one loop. Everything here may be called from any
/// thread, with or without a connection, and nothing blocks for the broker.
/// </summary>
public sealed partial class MqttLink : BackgroundService
{
    /// <summary>A chunk of a blob has 65,536 bytes, a signed document less.</summary>
    public const int MaximumPayloadByteCount = 128 * 1024;

    /// <summary>Payload, topic and properties.</summary>
    internal const int MaximumPacketByteCount = MaximumPayloadByteCount + 4096;

    private static readonly TimeSpan Goodbye = TimeSpan.FromMilliseconds(400);
    private readonly LinkIdentity _identity;
    private readonly MqttOptions _options;
    private readonly LoopTick _tick;
    private readonly TimeProvider _time;
    private readonly LinkTiming _timing;
    private readonly ILogger<MqttLink> _logger;
    private readonly RetainedTopics _retained = new();
    private readonly ResultLane _results;
    private readonly MessageRouter _router;
    private volatile BrokerClient? _client;
    private volatile TaskCompletionSource _connected = NewSignal();
    private LinkState _state = new(false, "Not connected yet.", null, 0);
    private string? _problem;
    private volatile bool _isStopping;

    public MqttLink(LinkIdentity identity, MqttOptions options, LoopTicks ticks, TimeProvider time, ILogger<MqttLink> logger)
        : this(identity, options, ticks, time, logger, new LinkTiming { BackoffMaximum = TimeSpan.FromSeconds(options.ReconnectSeconds) })
    {
    }

    internal MqttLink(LinkIdentity identity, MqttOptions options, LoopTicks ticks, TimeProvider time, ILogger<MqttLink> logger, LinkTiming timing)
    {
        (_identity, _options, _time, _logger, _timing) = (identity, options, time, logger, timing);
        _tick = ticks.Register("link", LoopInterval + (timing.Timeout * 2));
        _refusals = new Refusals(options);
        _results = new ResultLane(identity.Topics.Result, FitsAgain);
        _router = new MessageRouter(logger);
    }

    /// <summary>The time that TLS certificates are checked at; the agent sets its trusted time here. Default: the clock.</summary>
    public Func<DateTimeOffset>? TrustedNow { get; set; }

    public LinkState State => Volatile.Read(ref _state) is var state && _refusals.Problem is { } refusals
        ? state with { Problem = state.Problem is null ? refusals : $"{state.Problem} {refusals}" }
        : state;

    /// <summary>Raised on the link's loop, not for what the broker refuses meanwhile; handlers return quickly.</summary>
    public event Action<LinkState>? StateChanged;

    private static TimeSpan LoopInterval => TimeSpan.FromSeconds(5);

    /// <summary>Subscribes (QoS 1). Call before the link starts.</summary>
    public void Subscribe(string filter, MessageHandler handler) => _router.Add(filter, handler);

    /// <summary>Keeps the newest payload of a topic on the broker, retained with QoS 1, over any number of reconnects.</summary>
    public void PublishRetained(string topic, ReadOnlyMemory<byte> payload) => _retained.Set(topic, payload);

    public void PublishRetained<T>(string topic, T value, JsonTypeInfo<T> type) =>
        PublishRetained(topic, JsonSerializer.SerializeToUtf8Bytes(value, type));

    /// <summary>Sends a result with QoS 0 and without waiting: now, or once there is a link and the last one is on its way, unless a newer one comes first.</summary>
    public void PublishResult(Classification result) => _results.Send(result);

    /// <summary>
    /// Sends with QoS 1 and waits for the acknowledgement, longer for what is large. What nobody waits for any more may arrive
    /// all the same, so the payload must stay as it is.
    /// </summary>
    public async Task<Delivery> PublishAsync(
        string topic, ReadOnlyMemory<byte> payload, uint expirySeconds, ReadOnlyMemory<byte> correlationData, CancellationToken cancellationToken)
    {
        if (_client is not { IsConnected: true } client) return Delivery.NotSent;
        var message = new MqttApplicationMessage
        {
            Topic = topic,
            Payload = new ReadOnlySequence<byte>(payload),
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            MessageExpiryInterval = expirySeconds,
            CorrelationData = correlationData.IsEmpty ? null : correlationData.ToArray(),
        };
        return await SendAsync(client, message, cancellationToken);
    }

    /// <summary>Completes once there is a connection.</summary>
    public Task WaitConnectedAsync(CancellationToken cancellationToken) =>
        _client is { IsConnected: true } ? Task.CompletedTask : _connected.Task.WaitAsync(cancellationToken);

    /// <summary>Says <c>stopped</c> and goodbye; within a second.</summary>
    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        _isStopping = true;
        if (_client is { IsConnected: true } client)
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            patience.CancelAfter(Goodbye);
            await SendStatusAsync(client, DeviceState.Stopped, patience.Token);
            await DisconnectAsync(client);
        }

        await base.StopAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _results.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        if (_options.Host.Length == 0)
        {
            Report(false, "There is no broker: Mqtt:Host is empty.");
            _tick.Retire();
            return;
        }

        var failures = 0;
        try
        {
            while (!_isStopping)
            {
                var started = _time.GetTimestamp();
                var end = await ConnectAndServeAsync(stoppingToken);
                if (_isStopping) break;
                failures = end.WasConnected && _time.GetElapsedTime(started) >= _timing.StablePeriod ? 0 : failures + 1;
                var wait = _timing.Backoff(failures, end.IsCommon, RandomNumberGenerator.GetInt32(0, 1_000_001) / 1e6);
                if (end.WasTakenOver) wait += _timing.TakeoverBackoff;
                LogWaiting(end.Detail, wait);
                await PauseAsync(wait, stoppingToken);
            }
        }
        catch (Exception e) when (stoppingToken.IsCancellationRequested && (e is OperationCanceledException || IsOfTheNetwork(e)))
        {
            // Stopping is no error; within a connection attempt it looks like one of the network.
        }
        finally
        {
            _tick.Retire();
        }
    }

    private async Task<Delivery> SendAsync(BrokerClient client, MqttApplicationMessage message, CancellationToken cancellationToken)
    {
        var delivery = await TrySendAsync(client, message, cancellationToken);
        LogSent(message.Topic, message.Payload.Length, delivery);
        return delivery;
    }

    private async Task<Delivery> TrySendAsync(BrokerClient client, MqttApplicationMessage message, CancellationToken cancellationToken)
    {
        if (!Fits(client, message)) return Delivery.Refused;
        try
        {
            var result = await client.PublishAsync(message, cancellationToken);
            if (result.IsSuccess || result.ReasonCode == MqttClientPublishReasonCode.NoMatchingSubscribers)
            {
                _refusals.Remove(message.Topic);
                return Delivery.Acknowledged;
            }

            Refused(message.Topic, result.ReasonCode);
            return result.ReasonCode == MqttClientPublishReasonCode.QuotaExceeded ? Delivery.NotSent : Delivery.Refused;
        }
        catch (Exception e) when (IsOfTheNetwork(e))
        {
            return Delivery.NotSent;
        }
    }

    private async Task PauseAsync(TimeSpan wait, CancellationToken cancellationToken)
    {
        var started = _time.GetTimestamp();
        while (wait - _time.GetElapsedTime(started) is var left && left > TimeSpan.Zero)
        {
            _tick.Tick();
            await Task.Delay(left < LoopInterval ? left : LoopInterval, _time, cancellationToken);
        }

        _tick.Tick();
    }

    private void Report(bool isConnected, string detail)
    {
        var old = Volatile.Read(ref _state);
        var state = new LinkState(isConnected, detail, _problem, old.ConnectCount + (isConnected && !old.IsConnected ? 1 : 0));
        if (state == old || _isStopping) return;
        Volatile.Write(ref _state, state);
        StateChanged?.Invoke(State);
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    [LoggerMessage(Level = LogLevel.Information, Message = "Connected to broker {Host}:{Port}, session present {IsSessionPresent}")]
    private partial void LogConnected(string host, int port, bool isSessionPresent);

    [LoggerMessage(Level = LogLevel.Debug, Message = "Sent {ByteCount} bytes on {Topic}: {Delivery}")]
    private partial void LogSent(string topic, long byteCount, Delivery delivery);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Detail} Next attempt in {Wait}")]
    private partial void LogWaiting(string detail, TimeSpan wait);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Problem}")]
    private partial void LogProblem(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The broker refuses {What}: {Reason}")]
    private partial void LogRefused(string what, string reason);
}
