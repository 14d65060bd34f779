namespace Dunlin.Runtime.Cameras;

internal static class MonotonicClock
{
    /// <summary>Nanoseconds; CLOCK_MONOTONIC for <see cref="TimeProvider.System"/>, whose frequency on Linux is 10⁹.</summary>
    public static long Nanoseconds(this TimeProvider time)
    {
        var (ticks, frequency) = (time.GetTimestamp(), time.TimestampFrequency);
        return frequency == 1_000_000_000 ? ticks : (long)((Int128)ticks * 1_000_000_000 / frequency);
    }
}
