using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;

namespace Dunlin.Fleet.Watching;

/// <summary>What is known of one device: the newest message of each kind.</summary>
internal sealed record DeviceView(string Device)
{
    public DeviceStatus? Status { get; init; }
    public Reported? Reported { get; init; }
    public Verdict? Verdict { get; init; }
    public TelemetryWindow? Window { get; init; }
    public Classification? Result { get; init; }

    /// <summary>When anything came from it, on the operator's monotonic clock.</summary>
    public long LastSeen { get; init; }

    /// <summary>A word for people: <c>online</c>, <c>offline</c>, <c>stopped</c>, <c>silent</c> or <c>unknown</c>.</summary>
    public string State(TimeSpan silence)
    {
        if (Status is null) return "unknown";
        if (Status.State != DeviceState.Online) return Status.State.ToString().ToLowerInvariant();
        var patience = TimeSpan.FromSeconds(Math.Max(30, 3 * (Window?.WindowSeconds ?? 10)));
        return silence > patience ? "silent" : "online";
    }

    public bool IsThere => Status?.State == DeviceState.Online;

    /// <summary>Frames that were not classified in the last window.</summary>
    public long? Drops => Window is { Frames: var frames } ? frames.Dropped + frames.Stale + frames.Corrupt : null;

    /// <summary>Measured where there is a meter, else estimated, never mixed.</summary>
    public EnergyReading? Energy => Window?.Energy.Measured ?? Window?.Energy.Estimated;

    public string? TopClass => Result?.Scores is { Count: > 0 } scores ? scores[0].Label : Window?.Classes.OrderByDescending(c => c.Value).Select(c => c.Key).FirstOrDefault();
}
