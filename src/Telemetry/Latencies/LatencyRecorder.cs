using HdrHistogram;

namespace Dunlin.Telemetry.Latencies;

/// <summary>
/// Records one kind of latency (the whole path or one stage) and gives it away window by window. Recording allocates
/// nothing and never waits. One thread records; another may take windows.
/// </summary>
/// <remarks>
/// Count a latency from the capture of the frame, not from the start of the work. That alone does not weigh a stall:
/// in two seconds of standstill a newest-frame slot lets 60 frames go and answers one, so a single slow result would
/// stand for all of them and vanish from p99. With an expected interval, a result that took longer than results usually do
/// also counts for those that should have come meanwhile (the correction of HdrHistogram for coordinated omission;
/// Tene, "How NOT to measure latency", 2013). Then the histogram holds more values than there were results.
/// </remarks>
public sealed class LatencyRecorder
{
    /// <summary>Microseconds; what is longer is counted as this.</summary>
    public const long HighestMicroseconds = 3_600_000_000;

    private const double TypicalWeight = 1.0 / 16;
    private const double OutlierFactor = 4;

    private readonly Recorder _recorder = new(1, HighestMicroseconds, Contracts.Messages.Histogram.StandardDigits,
        (id, low, high, digits) => new LongHistogram(id, low, high, digits));
    private readonly object _taking = new();
    private long _expectedMicroseconds;
    private HistogramBase? _recycled;
    private double _typicalMicroseconds;

    /// <param name="expectedInterval">How often results are due, for the whole path: the camera's frame interval. Null for a stage.</param>
    public LatencyRecorder(TimeSpan? expectedInterval = null)
    {
        if (expectedInterval is { } interval) Expect(interval);
    }

    /// <summary>How often results are due from now on. On the thread that records.</summary>
    public void Expect(TimeSpan interval)
    {
        if (interval <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(interval), interval, "An expected interval is longer than zero; give none where results are not due at a rate.");
        _expectedMicroseconds = Math.Max(1, (long)interval.TotalMicroseconds);
    }

    /// <summary>A negative latency (a clock that went back) counts as zero.</summary>
    public void Record(TimeSpan latency) => RecordMicroseconds(latency.Ticks / TimeSpan.TicksPerMicrosecond);

    public void RecordMicroseconds(long microseconds)
    {
        var value = Math.Clamp(microseconds, 0, HighestMicroseconds);
        if (_expectedMicroseconds == 0)
        {
            _recorder.RecordValue(value);
            return;
        }
        _typicalMicroseconds = _typicalMicroseconds == 0
            ? value
            : _typicalMicroseconds + TypicalWeight * (Math.Min(value, OutlierFactor * Math.Max(_typicalMicroseconds, _expectedMicroseconds)) - _typicalMicroseconds);
        // A board that is always slower than its camera is slow, not stalled.
        _recorder.RecordValueWithExpectedInterval(value, Math.Max(_expectedMicroseconds, (long)_typicalMicroseconds));
    }

    /// <summary>What was recorded since the last call.</summary>
    public Dunlin.Contracts.Messages.Latency TakeWindow()
    {
        lock (_taking)
        {
            var window = _recorder.GetIntervalHistogram(_recycled);
            _recycled = window;
            var buckets = new List<long>();
            foreach (var bucket in window.RecordedValues())
            {
                buckets.Add(bucket.ValueIteratedTo);
                buckets.Add(bucket.CountAtValueIteratedTo);
            }
            return LatencyMath.Summarize(LatencyMath.HistogramOf(buckets));
        }
    }
}
