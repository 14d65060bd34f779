using MQTTnet;
using MQTTnet.Diagnostics.PacketInspection;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>
/// One client of MQTTnet for one connection. MQTTnet 5.2 takes a connection that breaks down in the background, and forgets
/// its parts while a call may still use them: such a call ends here as one on a broken connection does, each call that waits for
/// an answer ends within the timeout of the options and the time that a slow link takes, and a disposal in that moment throws nothing.
/// </summary>
/// <param name="time">For the timeouts.</param>
public sealed class BrokerClient(TimeProvider time) : IDisposable
{
    /// <summary>Bytes a second: a link that takes fewer is none. A snapshot passes in a minute.</summary>
    private const double SlowestLink = 2048;

    /// <summary>Of a broker that acknowledges nothing, so many messages are kept.</summary>
    private const int MostUnderWay = 64;

    private static readonly TimeSpan Look = TimeSpan.FromSeconds(1);
    private readonly IMqttClient _mqtt = new MqttClientFactory().CreateMqttClient();
    private readonly TaskCompletionSource<MqttClientDisconnectedEventArgs> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TimeSpan _timeout = Timeout.InfiniteTimeSpan;

    /// <summary>Not more than the broker takes without having acknowledged one: MQTT 5.0, section 4.9. MQTTnet 5.2 does not heed it.</summary>
    private SemaphoreSlim _slots = new(MostUnderWay);
    private long _underWay;

    public event Func<MqttApplicationMessageReceivedEventArgs, Task> MessageReceived
    {
        add => _mqtt.ApplicationMessageReceivedAsync += value;
        remove => _mqtt.ApplicationMessageReceivedAsync -= value;
    }

    public event Func<InspectMqttPacketEventArgs, Task> PacketInspected
    {
        add => _mqtt.InspectPacketAsync += value;
        remove => _mqtt.InspectPacketAsync -= value;
    }

    public bool IsConnected => _mqtt.IsConnected;

    /// <summary>How long what is under way may take: answers to what is sent after it come so much later. Of a broker that acknowledges nothing, not more than of one large message.</summary>
    public TimeSpan Backlog => TimeOf(Math.Min(Volatile.Read(ref _underWay), MqttLink.MaximumPayloadByteCount));

    /// <summary>Completes when the client has said that its connection has ended; it may miss to.</summary>
    public Task Ended => _ended.Task;

    /// <summary>What the broker answered to CONNECT, with its limits; null before.</summary>
    public MqttClientConnectResult? Answer { get; private set; }

    /// <summary>Connects; once only.</summary>
    /// <exception cref="MqttCommunicationException">As all calls here: the connection failed or is just ending, or no answer came in time.</exception>
    /// <exception cref="OperationCanceledException">As all calls here: it was cancelled, or no answer came in time.</exception>
    public async Task<MqttClientConnectResult> ConnectAsync(MqttClientOptions options, CancellationToken cancellationToken = default)
    {
        _timeout = options.Timeout;
        _mqtt.DisconnectedAsync += end =>
        {
            _ended.TrySetResult(end);
            return Task.CompletedTask;
        };
        Answer = await CallAsync(_mqtt.ConnectAsync, options, cancellationToken);
        if (Answer.ReceiveMaximum is > 0 and < MostUnderWay and { } most) _slots = new SemaphoreSlim(most);
        return Answer;
    }

    public Task<MqttClientSubscribeResult> SubscribeAsync(MqttClientSubscribeOptions options, CancellationToken cancellationToken = default) =>
        CallAsync(_mqtt.SubscribeAsync, options, cancellationToken);

    /// <summary>Subscribes with QoS 1.</summary>
    public Task<MqttClientSubscribeResult> SubscribeAsync(string filter, CancellationToken cancellationToken = default) => SubscribeAsync(
        new MqttClientSubscribeOptions { TopicFilters = [new MQTTnet.Packets.MqttTopicFilter { Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce }] },
        cancellationToken);

    /// <summary>
    /// Publishes, and waits longer for what is large. What nobody waits for any more goes on: half of a packet on the wire would
    /// spoil the next one, and the broker counts a message until it has acknowledged it. So the payload must stay as it is.
    /// </summary>
    public async Task<MqttClientPublishResult> PublishAsync(MqttApplicationMessage message, CancellationToken cancellationToken = default)
    {
        using var patience = new CancellationTokenSource(_timeout + TimeOf(message.Payload.Length), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        await _slots.WaitAsync(either.Token);
        return await PublishInASlotAsync(message).WaitAsync(either.Token);
    }

    /// <summary>Publishes with QoS 0: there is no answer to wait for, and so no timeout to pay for.</summary>
    public Task SendAsync(MqttApplicationMessage message) => WhileItLastsAsync(_mqtt.PublishAsync, message, CancellationToken.None);

    /// <summary>That a message is larger than the broker takes, which would end the connection, and the next one when it is sent again; null: it is not.</summary>
    public string? SizeProblem(MqttApplicationMessage message)
    {
        // MQTTnet gives zero where the broker names none.
        if (Answer?.MaximumPacketSize is not (> 0 and { } limit)) return null;
        var size = PacketSize.Of(message);
        return size > limit ? $"a message of {size} bytes is more than the {limit} that it takes; raise its limit (Mosquitto: max_packet_size)" : null;
    }

    public Task PingAsync(CancellationToken cancellationToken) => CallAsync(PingAsync, _mqtt, cancellationToken);

    public Task DisconnectAsync(CancellationToken cancellationToken = default) => CallAsync(DisconnectAsync, _mqtt, cancellationToken);

    /// <summary>
    /// Waits until the connection has ended. Null: the client does not say how. Where the broker named a keep-alive of its own, which
    /// MQTTnet 5.2 does not heed, it pings meanwhile; what that throws means the connection's end, too.
    /// </summary>
    public async Task<MqttClientDisconnectedEventArgs?> WaitForEndAsync(CancellationToken cancellationToken)
    {
        var pinged = time.GetTimestamp();
        while (IsConnected && !Ended.IsCompleted)
        {
            if (Answer is { ServerKeepAlive: > 0 and var seconds } && time.GetElapsedTime(pinged).TotalSeconds > seconds / 2.0)
            {
                await PingAsync(cancellationToken);
                pinged = time.GetTimestamp();
            }

            await LookAsync(cancellationToken);
        }

        await LookAsync(cancellationToken);
        return Ended.IsCompleted ? await _ended.Task : null;
    }

    /// <summary>Closes what is open; never throws, and may be called at any time.</summary>
    public void Dispose()
    {
        try
        {
            _mqtt.Dispose();
        }
        catch (ObjectDisposedException)
        {
            // The client's own end cancelled, disposed of and released all of it meanwhile.
        }
    }

    private async Task<TResult> CallAsync<TArgument, TResult>(
        Func<TArgument, CancellationToken, Task<TResult>> call, TArgument argument, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(_timeout + Backlog, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        return await WhileItLastsAsync(call, argument, either.Token);
    }

    private static async Task<TResult> WhileItLastsAsync<TArgument, TResult>(
        Func<TArgument, CancellationToken, Task<TResult>> call, TArgument argument, CancellationToken cancellationToken)
    {
        try
        {
            return await call(argument, cancellationToken);
        }
        catch (NullReferenceException e)
        {
            throw new MqttCommunicationException("The connection ended meanwhile.", e);
        }
    }

    /// <summary>Ends with the acknowledgement, or with the connection.</summary>
    private async Task<MqttClientPublishResult> PublishInASlotAsync(MqttApplicationMessage message)
    {
        Interlocked.Add(ref _underWay, message.Payload.Length);
        try
        {
            return await WhileItLastsAsync(_mqtt.PublishAsync, message, CancellationToken.None);
        }
        finally
        {
            Interlocked.Add(ref _underWay, -message.Payload.Length);
            _slots.Release();
        }
    }

    private static TimeSpan TimeOf(long byteCount) => TimeSpan.FromSeconds(byteCount / SlowestLink);

    private static async Task<bool> PingAsync(IMqttClient mqtt, CancellationToken cancellationToken)
    {
        await mqtt.PingAsync(cancellationToken);
        return true;
    }

    private static async Task<bool> DisconnectAsync(IMqttClient mqtt, CancellationToken cancellationToken)
    {
        await mqtt.DisconnectAsync(new MqttClientDisconnectOptions(), cancellationToken);
        return true;
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await Task.WhenAny(Ended, Task.Delay(Look, time, done.Token));
        await done.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
    }
}
