using System.Buffers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using MQTTnet;
using MQTTnet.Diagnostics.PacketInspection;
using MQTTnet.Exceptions;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Link;

/// <summary>One connection, from CONNECT to its end.</summary>
public sealed partial class MqttLink
{
    private const int SilentEndsOfATakeover = 3;

    /// <summary>Source: MQTT 5.0, section 3.2.2.3.14.</summary>
    private const byte ServerKeepAliveProperty = 0x13;

    private static readonly TimeSpan FlushPause = TimeSpan.FromSeconds(1);
    private int _silentEnds;

    private readonly record struct ConnectionEnd(bool WasConnected, bool WasTakenOver, string Detail, bool IsCommon = false);

    private async Task<ConnectionEnd> ConnectAndServeAsync(CancellationToken stoppingToken)
    {
        using var client = new BrokerClient(_time);
        client.MessageReceived += _router.HandleAsync;
        try
        {
            var (isSessionPresent, refusal) = await ConnectAsync(client, stoppingToken);
            if (refusal is not null) return Failed(refusal, isCommon: true);
            return await ServeAsync(client, isSessionPresent, stoppingToken);
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested && IsOfTheNetwork(e))
        {
            // Where nobody listens the broker went away, and took no session from us.
            if (ConnectFailure.SocketErrorOf(e) == SocketError.ConnectionRefused) _silentEnds = 0;
            return Failed(ConnectFailure.Describe(_options, LinkWords.Agent, _identity.Topics.Device, e), !ConnectFailure.IsOfThisDevice(e));
        }
        finally
        {
            _client = null;
            _results.Use(null);
            if (_connected.Task.IsCompleted) _connected = NewSignal();
        }
    }

    private ConnectionEnd Failed(string detail, bool isCommon)
    {
        Report(false, detail);
        return new ConnectionEnd(false, false, detail, isCommon);
    }

    private async Task<(bool IsSessionPresent, string? Refusal)> ConnectAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        var options = ClientOptions();
        client.PacketInspected += WithoutKeepAlive(client, options);
        var result = await client.ConnectAsync(options, stoppingToken);
        return result.ResultCode == MqttClientConnectResultCode.Success
            ? (result.IsSessionPresent, null)
            : (false, ConnectFailure.Describe(_options, LinkWords.Agent, _identity.Topics.Device, result.ResultCode, result.ReasonString));
    }

    /// <summary>
    /// MQTTnet's own keep-alive has nothing to do beside our pings: it would wake the processor four times a second to look at a
    /// clock that may be stepped. Period zero, once CONNECT has told the broker another, keeps it from starting. It starts all
    /// the same, and breaks the link at its first ping, where CONNACK has a period of the broker's own: then it waits for one
    /// that never passes. Where that byte of CONNACK means something else, only the looking at the clock is lost.
    /// </summary>
    private static Func<InspectMqttPacketEventArgs, Task> WithoutKeepAlive(BrokerClient client, MqttClientOptions options)
    {
        Func<InspectMqttPacketEventArgs, Task> self = null!;
        return self = packet =>
        {
            if (packet.Direction == MqttPacketFlowDirection.Outbound) return Task.CompletedTask;
            options.KeepAlivePeriod = packet.Buffer.Contains(ServerKeepAliveProperty) ? TimeSpan.MaxValue : TimeSpan.Zero;
            client.PacketInspected -= self;
            return Task.CompletedTask;
        };
    }

    private async Task<ConnectionEnd> ServeAsync(BrokerClient client, bool isSessionPresent, CancellationToken stoppingToken)
    {
        LogConnected(_options.Host, _options.EffectivePort, isSessionPresent);
        var started = _time.GetTimestamp();
        // Who refused may be another broker, or be corrected.
        _refusals.Clear();
        // A new process subscribes in any case: its filters may be others, and it wants the retained documents.
        if (!isSessionPresent) _missing = null;
        await SubscribeAsync(client, stoppingToken);
        var asked = started;
        _retained.Invalidate();
        var isFlushed = await FlushRetainedAsync(client, stoppingToken);
        var isOnlineTold = await TellOnlineAsync(client, stoppingToken);
        _client = client;
        _results.Use(client);
        Report(true, $"Connected to broker {ConnectFailure.Address(_options)}.");
        _connected.TrySetResult();
        var (pinged, pingInterval) = (_time.GetTimestamp(), PingInterval(client));
        while (client.IsConnected)
        {
            stoppingToken.ThrowIfCancellationRequested();
            _tick.Tick();
            if (_problem is not null && _time.GetElapsedTime(started) >= _timing.StablePeriod)
            {
                _problem = null;
                Report(true, State.Detail);
            }

            var untilPing = pingInterval - _time.GetElapsedTime(pinged);
            if (untilPing <= TimeSpan.Zero)
            {
                if (!await PingAsync(client, pingInterval, stoppingToken)) return Lost("the broker does not answer any more; the agent connects again");
                pinged = _time.GetTimestamp();
                continue;
            }

            await WaitAsync(client.Ended, untilPing < LoopInterval ? untilPing : LoopInterval, isFlushed && isOnlineTold, stoppingToken);
            if (_time.GetElapsedTime(asked) >= _timing.AskAgain)
            {
                isOnlineTold &= await AskAgainAsync(client, stoppingToken);
                asked = _time.GetTimestamp();
            }

            isFlushed = await FlushRetainedAsync(client, stoppingToken);
            isOnlineTold = isOnlineTold || await TellOnlineAsync(client, stoppingToken);
        }

        var lasted = _time.GetElapsedTime(started);
        return await client.WaitForEndAsync(stoppingToken) is { } end ? Explain(end, lasted) : Lost("it broke");
    }

    private async Task WaitAsync(Task ended, TimeSpan atMost, bool isFlushed, CancellationToken stoppingToken)
    {
        using var done = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        // What the broker did not take is still a change: it is not asked again at once, since it may have answered that its quota is used up.
        if (isFlushed) await Task.WhenAny(ended, _retained.Changed, Task.Delay(atMost, _time, done.Token));
        else await Task.WhenAny(ended, Task.Delay(FlushPause, _time, done.Token));
        await done.CancelAsync();
    }

    private ConnectionEnd Explain(MqttClientDisconnectedEventArgs end, TimeSpan lasted)
    {
        var isSilent = end.Reason == MqttClientDisconnectReason.NormalDisconnection && end.Exception is null;
        _silentEnds = isSilent && lasted < _timing.StablePeriod ? _silentEnds + 1 : 0;
        var device = _identity.Topics.Device;
        if (end.Reason == MqttClientDisconnectReason.SessionTakenOver)
            return TakenOver($"Another client took this session: two devices use the id '{device}'. Give one of them another Device:Id and credentials of its own.");
        // Mosquitto 2.0 takes a session away without a word.
        if (_silentEnds >= SilentEndsOfATakeover)
            return TakenOver($"The broker closed {_silentEnds} connections soon after they were made and gave no reason: probably two devices use the id '{device}'. Give one of them another Device:Id and credentials of its own.");
        return Lost(ConnectFailure.Describe(_options, device, end));
    }

    private ConnectionEnd TakenOver(string problem)
    {
        (_problem, _silentEnds) = (problem, 0);
        LogProblem(problem);
        Report(false, problem);
        return new ConnectionEnd(true, true, problem);
    }

    private ConnectionEnd Lost(string reason)
    {
        var detail = $"Lost the link to broker {ConnectFailure.Address(_options)}: {reason}.";
        Report(false, detail);
        return new ConnectionEnd(true, false, detail);
    }

    /// <summary>Half of the time after which the broker, by our word or by its own, takes us for dead.</summary>
    private TimeSpan PingInterval(BrokerClient client) => TimeSpan.FromSeconds(
        (client.Answer is { ServerKeepAlive: > 0 } answer ? Math.Min(answer.ServerKeepAlive, _options.KeepAliveSeconds) : _options.KeepAliveSeconds) / 2.0);

    /// <summary>
    /// On the monotonic clock, unlike MQTTnet's own keep-alive, which a stepped wall clock silences. It takes as long as what is before
    /// it on a slow link, which for a window of telemetry is not longer than a ping may take anyway.
    /// </summary>
    private async Task<bool> PingAsync(BrokerClient client, TimeSpan within, CancellationToken stoppingToken)
    {
        using var patience = new CancellationTokenSource(within > client.Backlog ? within : client.Backlog, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stoppingToken);
        try
        {
            await _tick.TickUntilAsync(client.PingAsync(either.Token));
            return true;
        }
        catch (Exception e) when (!stoppingToken.IsCancellationRequested && IsOfTheNetwork(e))
        {
            return false;
        }
    }

    /// <summary>False: something is left that could not be sent.</summary>
    private async Task<bool> FlushRetainedAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        while (client.IsConnected && _retained.NextDirty() is var (topic, payload))
        {
            var delivery = await _tick.TickUntilAsync(SendAsync(client, Retained(topic, payload), stoppingToken));
            if (delivery == Delivery.NotSent) return false;
            _retained.Published(topic, payload);
        }

        return true;
    }

    /// <summary>False: it could not be sent, and what the broker keeps may be the will's <c>offline</c>.</summary>
    private async Task<bool> TellOnlineAsync(BrokerClient client, CancellationToken stoppingToken)
    {
        // Who stops has said so already.
        if (_isStopping) return true;
        return await _tick.TickUntilAsync(SendStatusAsync(client, DeviceState.Online, stoppingToken)) != Delivery.NotSent;
    }

    private Task<Delivery> SendStatusAsync(BrokerClient client, DeviceState state, CancellationToken cancellationToken)
    {
        var status = _identity.Status(state, _time.GetUtcNow());
        var payload = JsonSerializer.SerializeToUtf8Bytes(status, MessageJson.Default.DeviceStatus);
        return SendAsync(client, Retained(_identity.Topics.Status, payload), cancellationToken);
    }

    private static async Task DisconnectAsync(BrokerClient client)
    {
        using var patience = new CancellationTokenSource(Goodbye);
        try
        {
            await client.DisconnectAsync(patience.Token);
        }
        catch (Exception e) when (IsOfTheNetwork(e))
        {
            // The link ends either way.
        }
    }

    private static MqttApplicationMessage Retained(string topic, ReadOnlyMemory<byte> payload) => new()
    {
        Topic = topic,
        Payload = new ReadOnlySequence<byte>(payload),
        QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
        Retain = true,
    };

    private MqttClientOptions ClientOptions()
    {
        var offline = _identity.Status(DeviceState.Offline, null);
        return new MqttClientOptions
        {
            ClientId = _identity.Topics.Device,
            ProtocolVersion = MqttProtocolVersion.V500,
            CleanSession = false,
            SessionExpiryInterval = (uint)_options.SessionExpirySeconds,
            KeepAlivePeriod = TimeSpan.FromSeconds(_options.KeepAliveSeconds),
            Timeout = _timing.Timeout,
            MaximumPacketSize = MaximumPacketByteCount,
            // One system call a message: header and payload leave together.
            AllowPacketFragmentation = false,
            Credentials = Credentials(),
            WillTopic = _identity.Topics.Status,
            WillPayload = JsonSerializer.SerializeToUtf8Bytes(offline, MessageJson.Default.DeviceStatus),
            WillQualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            WillRetain = true,
            WillDelayInterval = (uint)_timing.WillDelay.TotalSeconds,
            ChannelOptions = new MqttClientTcpOptions
            {
                RemoteEndpoint = new System.Net.DnsEndPoint(_options.Host, _options.EffectivePort),
                StreamProvider = new BrokerConnector(_options, LinkWords.Agent, MaximumPacketByteCount, TrustedNow ?? _time.GetUtcNow),
            },
        };
    }

    private MqttClientCredentials? Credentials()
    {
        if (_options.UserName.Length == 0) return null;
        return new MqttClientCredentials(_options.UserName, Encoding.UTF8.GetBytes(OperatorConnection.Password(_options)));
    }

    /// <summary>Failures that a bad network, a bad broker or a bad file may cause; anything else is a bug and ends the service.</summary>
    private static bool IsOfTheNetwork(Exception e) => e is MqttCommunicationException or MqttProtocolViolationException
        or MqttClientNotConnectedException or MqttClientUnexpectedDisconnectReceivedException or MqttClientDisconnectedException
        or IOException or System.Net.Sockets.SocketException or OperationCanceledException or TimeoutException or ObjectDisposedException
        or System.Security.Authentication.AuthenticationException or BrokerTrustException or UnauthorizedAccessException
        or System.Security.Cryptography.CryptographicException or InvalidOperationException or FormatException or ArgumentException;
}
