namespace Dunlin.Runtime.Cameras;

/// <summary>Frames per second over the last five seconds (at most 256 frames). Not thread-safe.</summary>
internal sealed class FrameRateMeter
{
    private const long WindowNanoseconds = 5_000_000_000;
    private readonly long[] _arrivals = new long[256];
    private long _count;

    public void Add(long nanoseconds) => _arrivals[_count++ % _arrivals.Length] = nanoseconds;

    public void Clear() => _count = 0;

    /// <summary>
    /// Intervals between the frames of the window by their time; null before the second frame. A pause since the last
    /// frame counts once it is longer than two usual intervals, so that the rate of a halted source sinks to 0.
    /// </summary>
    public double? Rate(long now)
    {
        var kept = (int)Math.Min(_count, _arrivals.Length);
        if (kept < 2) return null;
        var last = At(1);
        if (now - last >= WindowNanoseconds) return 0;
        var intervals = 0;
        while (intervals + 1 < kept && now - At(intervals + 2) <= WindowNanoseconds) intervals++;
        if (intervals == 0) return 1e9 / Math.Max(now - At(2), 1);
        var span = Math.Max(last - At(intervals + 1), 1);
        var usual = span / intervals;
        return intervals * 1e9 / (now - last > 2 * usual ? now - At(intervals + 1) : span);
    }

    private long At(int back) => _arrivals[(_count - back) % _arrivals.Length];
}
