using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Latencies;

/// <summary>Arithmetic on histograms in their wire form: for windows of a device and for whole fleets.</summary>
public static class LatencyMath
{
    /// <summary>More buckets than this no recorder makes: 128 of them per power of two up to an hour.</summary>
    public const int MaximumBucketCount = 4096;

    private const double MicrosecondsPerMillisecond = 1000;

    public static Histogram Empty { get; } = HistogramOf([]);

    /// <summary>A histogram over pairs of value (µs) and count.</summary>
    public static Histogram HistogramOf(IReadOnlyList<long> buckets) =>
        new() { Unit = "us", SignificantDigits = Histogram.StandardDigits, Buckets = buckets };

    /// <summary>Adds the counts of equal buckets. All must be sound (<see cref="Problem"/>).</summary>
    public static Histogram Merge(IEnumerable<Histogram> histograms)
    {
        var counts = new SortedDictionary<long, long>();
        foreach (var histogram in histograms)
            for (var i = 0; i + 1 < histogram.Buckets.Count; i += 2)
                counts[histogram.Buckets[i]] = checked(counts.GetValueOrDefault(histogram.Buckets[i]) + histogram.Buckets[i + 1]);

        var buckets = new List<long>(counts.Count * 2);
        foreach (var (value, count) in counts) { buckets.Add(value); buckets.Add(count); }
        return HistogramOf(buckets);
    }

    /// <summary>One latency over several windows or devices; percentiles come from the merged buckets, never from percentiles.</summary>
    public static Latency Merge(IEnumerable<Latency> latencies) => Summarize(Merge(latencies.Select(latency => latency.Histogram)));

    /// <summary>The histogram with its percentiles; these are null if it is empty.</summary>
    public static Latency Summarize(Histogram histogram) => new()
    {
        Histogram = histogram,
        Milliseconds = Percentile(histogram, 50) is { } p50
            ? new Percentiles(p50, Percentile(histogram, 95)!.Value, Percentile(histogram, 99)!.Value, Percentile(histogram, 100)!.Value)
            : null,
    };

    /// <summary>Values recorded.</summary>
    public static long Count(Histogram histogram)
    {
        var count = 0L;
        for (var i = 1; i < histogram.Buckets.Count; i += 2) count += histogram.Buckets[i];
        return count;
    }

    /// <summary>The nearest-rank percentile (0…100) in milliseconds, at most 1 % too high; null if the histogram is empty.</summary>
    public static double? Percentile(Histogram histogram, double percentile)
    {
        if (percentile is not (>= 0 and <= 100)) throw new ArgumentOutOfRangeException(nameof(percentile), percentile, "A percentile lies in 0…100.");
        var total = Count(histogram);
        if (total == 0) return null;
        var rank = Math.Max(1, (long)Math.Ceiling(percentile / 100 * total));
        var seen = 0L;
        for (var i = 0; i + 1 < histogram.Buckets.Count; i += 2)
            if ((seen += histogram.Buckets[i + 1]) >= rank)
                return histogram.Buckets[i] / MicrosecondsPerMillisecond;
        return histogram.Buckets[^2] / MicrosecondsPerMillisecond;
    }

    /// <summary>What is wrong with a histogram that came over a border, as a sentence; null if it is sound.</summary>
    public static string? Problem(Histogram histogram)
    {
        var buckets = histogram.Buckets;
        if (histogram.Unit != "us") return $"A histogram has the unit '{histogram.Unit}'; the only unit is 'us'.";
        if (histogram.SignificantDigits != Histogram.StandardDigits) return $"A histogram has {histogram.SignificantDigits} significant digits; the only number is {Histogram.StandardDigits}.";
        if (buckets.Count % 2 != 0) return $"A histogram has {buckets.Count} numbers; they are pairs of value and count.";
        if (buckets.Count / 2 > MaximumBucketCount) return $"A histogram has {buckets.Count / 2} buckets; at most {MaximumBucketCount} are possible.";
        var previous = -1L;
        var total = 0L;
        for (var i = 0; i < buckets.Count; i += 2)
        {
            if (buckets[i] <= previous) return $"A histogram's value {buckets[i]} follows {previous}; values rise from 0.";
            if (buckets[i + 1] <= 0) return $"A histogram counts {buckets[i + 1]} at value {buckets[i]}; counts are above 0.";
            if (buckets[i + 1] > long.MaxValue - total) return "A histogram's counts overflow 63 bits.";
            previous = buckets[i];
            total += buckets[i + 1];
        }
        return null;
    }
}
