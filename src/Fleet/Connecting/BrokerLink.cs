using System.Buffers;
using System.Net.Sockets;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Packets;
using MQTTnet.Protocol;

namespace Dunlin.Fleet.Connecting;

/// <summary>A message from a device.</summary>
internal readonly record struct Arrival(string Topic, ReadOnlyMemory<byte> Payload, byte[]? Correlation);

/// <summary>
/// The operator's side of the broker: connects, subscribes, and connects again for as long as it runs. Whoever uses it
/// keeps the truth elsewhere and publishes it anew at each connection.
/// </summary>
internal sealed class BrokerLink(MqttOptions options, string clientId, IReadOnlyList<string> filters, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan FirstRetry = TimeSpan.FromMilliseconds(200), LastRetry = TimeSpan.FromSeconds(30), StablePeriod = TimeSpan.FromSeconds(30);
    private readonly CancellationTokenSource _end = new();
    private TaskCompletionSource _connected = NewSignal();
    private TaskCompletionSource _refused = NewSignal();
    private volatile BrokerClient? _client;
    private Task _running = Task.CompletedTask;

    /// <summary>Runs at each connection, which those who wait for it have already; what it throws ends the connection.</summary>
    public Func<CancellationToken, Task>? Connected { get; set; }

    /// <summary>Gets every message, one after the other, and returns quickly.</summary>
    public Action<Arrival>? Received { get; set; }

    /// <summary>Is told why there is no connection, each time that one fails or is lost.</summary>
    public Action<string>? Note { get; set; }

    /// <summary>Is told what the broker refuses on a connection that stands.</summary>
    public Action<string>? Refused { get; set; }

    /// <summary>Why there is no connection, for people; null while there is one.</summary>
    public string? Trouble { get; private set; } = $"Broker {options.Host} has not answered yet; look at the network and at the broker, or try again.";

    public bool IsConnected => _client is { IsConnected: true };

    /// <summary>How many connections there have been, with the one that stands.</summary>
    public int ConnectionCount { get; private set; }

    /// <summary>How long the broker took to answer the subscription of the last connection.</summary>
    public TimeSpan RoundTrip { get; private set; }

    /// <summary>Ends when this is disposed of; before that only by a defect, which it throws.</summary>
    public Task Running => _running;

    public void Start() => _running = RunAsync(_end.Token);

    /// <exception cref="FleetException">There was none within the time, or the two refuse each other, which waiting does not change.</exception>
    public async Task WaitConnectedAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var connected = _connected.Task;
        try
        {
            await Task.WhenAny(connected, _refused.Task).WaitAsync(patience, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // Said below.
        }

        if (!connected.IsCompleted) throw new FleetException(ExitCodes.Unavailable, Trouble ?? $"Broker {options.Host} did not answer in time; try again.");
    }

    /// <summary>Publishes with QoS 1. False: there is no connection now, or the broker refused it (which is told).</summary>
    public async Task<bool> TryPublishAsync(MqttApplicationMessage message, CancellationToken cancellationToken)
    {
        message.QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce;
        if (_client is not { IsConnected: true } client) return false;
        if (client.SizeProblem(message) is { } problem)
        {
            Refused?.Invoke($"The broker refuses {message.Topic}: {problem}.");
            return false;
        }

        try
        {
            var result = await client.PublishAsync(message, cancellationToken);
            if (result.IsSuccess) return true;
            Refused?.Invoke($"The broker refuses {message.Topic} ({result.ReasonCode}); allow it in the broker's access list ({Topics.Page}).");
        }
        catch (Exception e) when (IsLinkFailure(e))
        {
            // The loop sees it, too, and says so.
        }
        return false;
    }

    public Task<bool> TryRetainAsync(string topic, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken) =>
        TryPublishAsync(new MqttApplicationMessage { Topic = topic, Payload = new ReadOnlySequence<byte>(payload), Retain = true }, cancellationToken);

    /// <summary>A sentence about each filter that the broker has not granted.</summary>
    internal static IEnumerable<string> Refusals(MqttClientSubscribeResult result) => result.Items
        .Where(item => item.ResultCode > MqttClientSubscribeResultCode.GrantedQoS2)
        .Select(item => $"The broker refuses the subscription to {item.TopicFilter.Topic} ({item.ResultCode}), so that nothing sent there arrives here; allow it in the broker's access list ({Topics.Page}).");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        await Task.Yield();
        var retry = FirstRetry;
        while (!cancellationToken.IsCancellationRequested)
        {
            using var client = new BrokerClient(time);
            client.MessageReceived += e =>
            {
                Received?.Invoke(new Arrival(e.ApplicationMessage.Topic ?? "", e.ApplicationMessage.Payload.ToArray(), e.ApplicationMessage.CorrelationData));
                return Task.CompletedTask;
            };
            if (await TryConnectAsync(client, cancellationToken) && await TryBeginAsync(cancellationToken))
            {
                var begun = time.GetTimestamp();
                await ((Task)client.WaitForEndAsync(cancellationToken)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                // A broker that throws out whoever publishes takes each connection at first.
                if (time.GetElapsedTime(begun) >= StablePeriod) retry = FirstRetry;
                Trouble = $"Lost the link to broker {options.Host}; connecting again.";
            }

            _client = null;
            if (_connected.Task.IsCompleted) _connected = NewSignal();
            if (cancellationToken.IsCancellationRequested)
            {
                await GoodbyeAsync(client);
                return;
            }

            Note?.Invoke(Trouble!);
            await Task.Delay(retry, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            retry = retry * 2 < LastRetry ? retry * 2 : LastRetry;
        }
    }

    private async Task<bool> TryConnectAsync(BrokerClient client, CancellationToken cancellationToken)
    {
        try
        {
            var result = await client.ConnectAsync(OperatorConnection.Options(options, OptionWords.Words, clientId, time.GetUtcNow), cancellationToken);
            if (result.ResultCode != MqttClientConnectResultCode.Success)
            {
                Trouble = OperatorConnection.Describe(options, OptionWords.Words, clientId, result);
                if (OperatorConnection.IsRefusal(result)) _refused.TrySetResult();
                return false;
            }

            if (filters.Count > 0) await SubscribeAsync(client, cancellationToken);
            // Counted first: who sees this connection does not take it for the one before.
            ConnectionCount++;
            (_client, Trouble, _refused) = (client, null, NewSignal());
            _connected.TrySetResult();
            return true;
        }
        catch (Exception e)
        {
            Trouble = OperatorConnection.Describe(options, OptionWords.Words, clientId, e);
            if (OperatorConnection.IsRefusal(e)) _refused.TrySetResult();
            return false;
        }
    }

    private async Task SubscribeAsync(BrokerClient client, CancellationToken cancellationToken)
    {
        var topics = filters.Select(filter => new MqttTopicFilter { Topic = filter, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce, NoLocal = true });
        var asked = time.GetTimestamp();
        var result = await client.SubscribeAsync(new MqttClientSubscribeOptions { TopicFilters = [.. topics] }, cancellationToken);
        RoundTrip = time.GetElapsedTime(asked);
        foreach (var refusal in Refusals(result)) Refused?.Invoke(refusal);
    }

    private async Task<bool> TryBeginAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (Connected is { } connected) await connected(cancellationToken);
            return true;
        }
        catch (Exception e)
        {
            Trouble = Failures.Sentence(e);
            return false;
        }
    }

    private static async Task GoodbyeAsync(BrokerClient client)
    {
        try
        {
            if (client.IsConnected) await client.DisconnectAsync().WaitAsync(TimeSpan.FromSeconds(1));
        }
        catch (Exception e) when (IsLinkFailure(e))
        {
            // It ends anyway.
        }
    }

    private static bool IsLinkFailure(Exception e) => e is MqttCommunicationException or MqttClientNotConnectedException or MqttProtocolViolationException
        or InvalidOperationException or OperationCanceledException or TimeoutException or IOException or SocketException;

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
