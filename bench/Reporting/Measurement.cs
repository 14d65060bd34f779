using System.Text.Json.Serialization;
using Dunlin.Bench.Measuring;

namespace Dunlin.Bench.Reporting;

/// <summary>One row of docs/performance.md.</summary>
internal sealed record Measurement
{
    /// <summary>A key of <see cref="PerformancePage"/>'s topics.</summary>
    public required string Topic { get; init; }

    public required string Name { get; init; }

    /// <summary><c>×</c>, <c>s</c>, <c>ms</c>, <c>MiB</c>, <c>B</c>, <c>frames/s</c>, <c>frames</c>, <c>%</c>, <c>points</c> or <c>races</c>.</summary>
    public required string Unit { get; init; }

    /// <summary>Null when skipped.</summary>
    public Sample? Value { get; init; }

    public Threshold? Threshold { get; init; }

    /// <summary>What it is made of, or why it was skipped.</summary>
    public string Note { get; init; } = "";

    [JsonIgnore]
    public bool? Passed => Value is { } value && Threshold is { } threshold ? threshold.Holds(value.Median) : null;

    public static Measurement Skipped(string topic, string name, string unit, Threshold? threshold, string why) =>
        new() { Topic = topic, Name = name, Unit = unit, Threshold = threshold, Note = $"skipped: {why}" };
}

/// <summary>What the median must reach, and what we would like.</summary>
internal sealed record Threshold(bool AtLeast, double Must, double? Aim = null)
{
    public static Threshold Minimum(double must, double? aim = null) => new(true, must, aim);

    public static Threshold Maximum(double must, double? aim = null) => new(false, must, aim);

    public bool Holds(double value) => AtLeast ? value >= Must : value <= Must;
}
