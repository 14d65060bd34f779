using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>telemetry</c>: one window of the pipeline's life.</summary>
public sealed record TelemetryWindow
{
    public const string CurrentSchema = "dunlin.telemetry.v1";

    public required string Schema { get; init; }
    public required string BootId { get; init; }
    public required long Sequence { get; init; }

    /// <summary>Wall time of the window's end.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Length on the monotonic clock.</summary>
    public required double WindowSeconds { get; init; }

    public Digest? Release { get; init; }
    public ContenderId? Running { get; init; }
    public required FrameCounts Frames { get; init; }

    /// <summary>Results per second of this window.</summary>
    public required double FramesPerSecond { get; init; }

    /// <summary>Capture to hand-over of the result, no coordinated omission.</summary>
    public required Latency Latency { get; init; }

    /// <summary>By stage: <c>wait</c>, <c>preprocess</c>, <c>inference</c>, <c>postprocess</c>.</summary>
    public required IReadOnlyDictionary<string, Latency> Stages { get; init; }

    /// <summary>Results by label, best class only.</summary>
    public required IReadOnlyDictionary<string, long> Classes { get; init; }

    /// <summary>Results by confidence of the best class, ten bins of 0.1.</summary>
    public required IReadOnlyList<long> Confidence { get; init; }

    public required EnergyWindow Energy { get; init; }
    public required ThermalWindow Thermal { get; init; }

    /// <summary>At the window's end; null without a battery.</summary>
    public BatteryState? Battery { get; init; }

    public required MemoryUse Memory { get; init; }
    public required OutboxCounts Outbox { get; init; }

    /// <summary>CPU time of supervisor and worker in this window.</summary>
    public required double CpuSeconds { get; init; }
}

/// <summary>Frames of a window by what became of them.</summary>
public sealed record FrameCounts
{
    public required long Captured { get; init; }
    public required long Classified { get; init; }

    /// <summary>Replaced in the slot by a newer frame.</summary>
    public required long Dropped { get; init; }

    /// <summary>Older than the deadline when their turn came.</summary>
    public required long Stale { get; init; }

    /// <summary>Of the classified ones those whose result came later than the deadline.</summary>
    public long Late { get; init; }

    /// <summary>Incomplete or unreadable.</summary>
    public required long Corrupt { get; init; }
}

/// <summary>Percentiles for people, buckets for merging; percentiles are never averaged.</summary>
public sealed record Latency
{
    public Percentiles? Milliseconds { get; init; }
    public required Histogram Histogram { get; init; }
}

public sealed record Percentiles(double P50, double P95, double P99, double Max);

/// <summary>
/// A mergeable histogram with the log-linear buckets of HdrHistogram (lowest discernible value 1): any percentile
/// is right within 1 % at two significant digits. Merged by adding the counts of equal buckets.
/// </summary>
public sealed record Histogram
{
    public const int StandardDigits = 2;

    /// <summary>The unit of the values, always <c>us</c> (microseconds).</summary>
    public required string Unit { get; init; }

    /// <summary>Significant decimal digits that a bucket keeps, always <see cref="StandardDigits"/>.</summary>
    public required int SignificantDigits { get; init; }

    /// <summary>Pairs of a bucket's highest equivalent value and its count, values rising: [v0, n0, v1, n1, …].</summary>
    public required IReadOnlyList<long> Buckets { get; init; }
}

/// <summary>Joules of a window. Measured and estimated are never one series; no sensor is null, never 0.</summary>
public sealed record EnergyWindow
{
    public EnergyReading? Measured { get; init; }
    public EnergyReading? Estimated { get; init; }
}
