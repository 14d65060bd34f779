using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;

namespace Dunlin.Fleet.Pushing;

/// <summary>What a device's <c>reported</c> or <c>outcome</c> says of a directive.</summary>
internal sealed record DeviceWord(string Device, Digest? Directive, UpdateState State, string? Reason, string? Detail, double? Progress = null)
{
    public bool IsEnd => State is UpdateState.Committed or UpdateState.Rejected or UpdateState.RolledBack or UpdateState.Cancelled;

    /// <summary>Null for other topics and for what makes no sense; nothing that a device sends throws.</summary>
    public static DeviceWord? Read(Arrival arrival)
    {
        var parts = arrival.Topic.Split('/');
        if (parts.Length != 5 || !DeviceName.IsValid(parts[3]) || arrival.Payload.IsEmpty) return null;
        try
        {
            switch (parts[4])
            {
                case "outcome":
                    var outcome = JsonSerializer.Deserialize(arrival.Payload.Span, MessageJson.Default.Outcome);
                    return outcome is null ? null : new DeviceWord(parts[3], outcome.Directive, outcome.Result, DeviceText.Clean(outcome.Reason), DeviceText.Clean(outcome.Detail));
                case "reported":
                    var update = JsonSerializer.Deserialize(arrival.Payload.Span, MessageJson.Default.Reported)?.Update;
                    return update is null ? null : new DeviceWord(parts[3], update.Directive, update.State, DeviceText.Clean(update.Reason), DeviceText.Clean(update.Detail), update.Progress is >= 0 and <= 1 ? update.Progress : null);
                default:
                    return null;
            }
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
