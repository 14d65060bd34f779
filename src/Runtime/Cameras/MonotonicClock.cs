namespace Dunlin.Runtime.Cameras;

/// <summary>Reads the clock of frames, and waits by it.</summary>
internal static class MonotonicClock
{
    /// <summary>Nanoseconds; CLOCK_MONOTONIC for <see cref="TimeProvider.System"/>, whose frequency on Linux is 10⁹.</summary>
    public static long Nanoseconds(this TimeProvider time)
    {
        var (ticks, frequency) = (time.GetTimestamp(), time.TimestampFrequency);
        return frequency == 1_000_000_000 ? ticks : (long)((Int128)ticks * 1_000_000_000 / frequency);
    }

    /// <summary>
    /// Waits on the calling thread; false when cancelled before the time was over. By the system's clock nothing else wakes
    /// up and nothing is allocated; a timer, which other clocks need, would wake two threads more.
    /// </summary>
    public static bool Wait(this TimeProvider time, TimeSpan span, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return false;
        if (span <= TimeSpan.Zero) return true;
        if (time == TimeProvider.System) return !cancellationToken.WaitHandle.WaitOne(span);
        using var rung = new ManualResetEvent(false);
        using var timer = time.CreateTimer(static state => ((ManualResetEvent)state!).Set(), rung, span, Timeout.InfiniteTimeSpan);
        return WaitHandle.WaitAny([rung, cancellationToken.WaitHandle]) == 0;
    }
}
