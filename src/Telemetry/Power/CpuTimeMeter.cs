using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Power;

/// <summary>
/// The last resort: the CPU time of Dunlin's processes since they started (null if unreadable) × an assumed power per busy
/// core. An estimate, and called one.
/// </summary>
internal sealed class CpuTimeMeter(PowerOptions options, TimeProvider time, Func<TimeSpan?> readCpuTime) : IPowerMeter
{
    /// <summary>The power per core is a guess for the kind of board.</summary>
    private const double StatedUncertainty = 0.5, UsualSamplesPerSecond = 1;

    private TimeSpan _most;

    public PowerProvenance Provenance { get; } = new(EnergyMethod.Estimated, "cpu-time", EnergyScope.Process,
        UsualSamplesPerSecond, StatedUncertainty, $"CPU time × {options.WattsPerCore} W per core");

    public string? Problem { get; private set; }

    public bool TryRead(out PowerSample sample)
    {
        if (readCpuTime() is { } cpuTime)
        {
            Problem = null;
            // A child that is reaped between two looks into /proc is missing from the sum for a moment.
            if (cpuTime > _most) _most = cpuTime;
            sample = PowerSample.OfJoules(time.GetTimestamp(), _most.TotalSeconds * options.WattsPerCore);
            return true;
        }
        Problem = "The CPU time of Dunlin's processes cannot be read below /proc; energy cannot be estimated.";
        sample = default;
        return false;
    }

    public void Dispose() { }
}
