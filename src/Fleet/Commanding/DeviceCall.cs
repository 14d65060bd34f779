using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Telemetry.Link;
using MQTTnet;

namespace Dunlin.Fleet.Commanding;

/// <summary>
/// One command to one device: finds the device, sends, and waits for the reply to this command and no other. Listens before it sends, so
/// that no word is missed. Nothing that a device sends throws before it is read.
/// </summary>
internal sealed class DeviceCall : IAsyncDisposable
{
    private static readonly TimeSpan BrokerPatience = TimeSpan.FromSeconds(10), StatusPatience = TimeSpan.FromSeconds(5);
    private readonly Topics _topics;
    private readonly TimeSpan _wait;
    private readonly TimeProvider _time;
    private readonly BrokerLink _link;
    private string? _refusal;
    private readonly TaskCompletionSource<DeviceStatus?> _status = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<(Reply Reply, long Arrived)> _reply = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public DeviceCall(MqttOptions broker, string fleet, CallTarget target, TimeProvider time)
    {
        (_topics, _wait, _time) = (new Topics(fleet, target.Device), target.Wait, time);
        _link = new BrokerLink(broker, FleetSetup.ClientId("command"), [_topics.Status, _topics.Reply], time) { Received = Take, Refused = sentence => _refusal = sentence };
    }

    /// <summary>Of this command: 32 hexadecimal digits at random.</summary>
    public string Id { get; } = RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Call once, before <see cref="AskAsync"/>.</summary>
    /// <exception cref="FleetException">There is no broker, or the device is unknown to it, or away.</exception>
    public async Task<DeviceStatus> FindAsync(CancellationToken cancellationToken)
    {
        _link.Start();
        await _link.WaitConnectedAsync(BrokerPatience, cancellationToken);
        FleetException Unknown() => _refusal is { } refusal ? new(ExitCodes.Unavailable, refusal) : new(ExitCodes.InputMissing, $"The broker keeps no 'status' of '{_topics.Device}' in the fleet '{_topics.Fleet}'; 'dunlin-fleet watch' shows which devices it knows.");
        var status = await WithinAsync(_status.Task, _wait < StatusPatience ? _wait : StatusPatience, Unknown, cancellationToken);
        if (status is null || status.BootId.Any(char.IsControl))
            throw new FleetException(ExitCodes.InputMissing, $"The 'status' of '{_topics.Device}' cannot be read; see who else may write to that topic.");
        return status.State == DeviceState.Online
            ? status
            : throw new FleetException(ExitCodes.Unavailable, $"'{_topics.Device}' is {status.State.ToString().ToLowerInvariant()}{(status.Time is { } time ? $" since {time:u}" : "")}; look at its power, its link and its agent.");
    }

    /// <exception cref="FleetException">It cannot be sent, or the device refuses it or says nothing in time.</exception>
    public async Task<Answer> AskAsync(string name, ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var message = new MqttApplicationMessage
        {
            Topic = _topics.Command(name), Payload = new ReadOnlySequence<byte>(payload),
            CorrelationData = Encoding.ASCII.GetBytes(Id), MessageExpiryInterval = (uint)_wait.TotalSeconds,
        };
        var sent = _time.GetTimestamp();
        if (!await _link.TryPublishAsync(message, cancellationToken))
            throw new FleetException(ExitCodes.Unavailable, _refusal ?? $"The link to the broker was lost before '{name}' was sent; run the command again.");
        FleetException Silence() => new(ExitCodes.Unavailable, $"'{_topics.Device}' has not answered '{name}' within {_wait.TotalSeconds:0} s. {_link.Trouble ?? _refusal ?? WhatToDo(name)}");
        var (reply, arrived) = await WithinAsync(_reply.Task, _wait, Silence, cancellationToken);
        return reply.Ok
            ? new Answer(_topics.Device, reply.Payload, _time.GetElapsedTime(sent, arrived))
            : throw new FleetException(ExitCodes.Rejected, $"'{_topics.Device}' refused '{name}' ({DeviceText.Clean(reply.Code) ?? "without a code"}): {DeviceText.Clean(reply.Detail) ?? "look at its log."}");
    }

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    private static string WhatToDo(string name) => name == Command.Ping
        ? "It may have lost its link a moment ago; see whether 'dunlin-fleet watch' calls it away, and look at its log."
        : "Another command may be under way on it, or it has lost its link a moment ago; ping it, then ask again, or give it longer with --wait.";

    private async Task<T> WithinAsync<T>(Task<T> task, TimeSpan patience, Func<FleetException> late, CancellationToken cancellationToken)
    {
        try
        {
            return await task.WaitAsync(patience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw late();
        }
    }

    // An agent that cannot read a command does not know its id; the correlation data comes back all the same.
    private void Take(Arrival arrival)
    {
        if (arrival.Payload.IsEmpty) return;
        if (arrival.Topic == _topics.Status) _status.TrySetResult(Read(arrival, MessageJson.Default.DeviceStatus));
        else if (arrival.Topic == _topics.Reply && Read(arrival, MessageJson.Default.Reply) is { } reply
            && (reply.Id ?? Encoding.ASCII.GetString(arrival.Correlation ?? [])) == Id) _reply.TrySetResult((reply, _time.GetTimestamp()));
    }

    private static T? Read<T>(Arrival arrival, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(arrival.Payload.Span, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
