namespace Dunlin.Agent.Worker;

/// <summary>
/// How often frames really come: a camera may deliver another rate than it was asked for, and another one in the dark. The
/// median of the last intervals between captures, so that neither a camera that stands still for a while nor a burst after
/// it is taken for its pace. Frames that nobody classified count, by the camera's own numbers. One thread; allocates nothing.
/// </summary>
internal sealed class FramePace
{
    private const int IntervalCount = 15;

    private readonly long[] _intervals = new long[IntervalCount];
    private int _next;
    private long _number = -1;
    private long _captured;

    /// <param name="configured">What is believed until more intervals say otherwise than not.</param>
    public FramePace(TimeSpan configured) => Array.Fill(_intervals, (long)configured.TotalNanoseconds);

    /// <summary>Takes note of a classified frame, and says the interval.</summary>
    public TimeSpan Observe(long number, long capturedNanoseconds)
    {
        var (frames, time) = (number - _number, capturedNanoseconds - _captured);
        if (_number >= 0 && frames > 0 && time > 0) _intervals[_next++ % IntervalCount] = time / frames;
        (_number, _captured) = (number, capturedNanoseconds);
        Span<long> sorted = stackalloc long[IntervalCount];
        _intervals.CopyTo(sorted);
        // Without a comparison, compiled ahead of time, each sort makes a delegate.
        sorted.Sort(static (a, b) => a.CompareTo(b));
        return TimeSpan.FromMicroseconds(Math.Max(1, sorted[IntervalCount / 2] / 1000));
    }
}
