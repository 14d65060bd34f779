using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Power;

namespace Dunlin.Telemetry.Tests.Energy;

/// <summary>A sensor whose power over time is known.</summary>
/// <param name="time">The clock.</param>
/// <param name="watts">Power by seconds since the start; null means that the sensor does not answer.</param>
internal sealed class WaveformMeter(TimeProvider time, Func<double, double?> watts) : IPowerMeter
{
    private readonly long _start = time.GetTimestamp();

    public PowerProvenance Provenance { get; init; } = new(EnergyMethod.Measured, "ina219", EnergyScope.Board, 10, 0.02, "waveform");
    public string? Problem { get; private set; }

    /// <summary>Gives joules counted since the start instead: the integral of the waveform.</summary>
    public Func<double, double>? Counter { get; init; }

    public bool TryRead(out PowerSample sample)
    {
        var now = time.GetTimestamp();
        var seconds = time.GetElapsedTime(_start, now).TotalSeconds;
        sample = default;
        Problem = watts(seconds) is null ? "The waveform is silent." : null;
        if (Problem is not null) return false;
        sample = Counter is null ? PowerSample.OfWatts(now, watts(seconds)!.Value) : PowerSample.OfJoules(now, Counter(seconds));
        return true;
    }

    public void Dispose() { }
}
