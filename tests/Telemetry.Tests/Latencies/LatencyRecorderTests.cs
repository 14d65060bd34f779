using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Telemetry.Tests.Latencies;

public sealed class LatencyRecorderTests
{
    private const int SampleCount = 50_000;

    /// <summary>Row 43 of the promises. Microseconds.</summary>
    public static TheoryData<string> Distributions => ["uniform", "exponential", "lognormal", "bimodal", "pareto", "constant"];

    [Theory]
    [MemberData(nameof(Distributions))]
    public void PercentilesAreWithinOnePercentOfTheExactOnes(string distribution)
    {
        var values = Draw(distribution, seed: 7);
        var recorder = new LatencyRecorder();
        foreach (var value in values) recorder.RecordMicroseconds(value);
        var window = recorder.TakeWindow();

        Array.Sort(values);
        Assert.Equal(SampleCount, LatencyMath.Count(window.Histogram));
        foreach (var percentile in (double[])[1, 50, 90, 95, 99, 99.9, 100])
        {
            var exact = values[Math.Max(0, (int)Math.Ceiling(percentile / 100 * SampleCount) - 1)] / 1000.0;
            Assert.InRange(LatencyMath.Percentile(window.Histogram, percentile)!.Value, exact * 0.99, exact * 1.01);
        }
        Assert.Equal(LatencyMath.Percentile(window.Histogram, 95), window.Milliseconds!.P95);
    }

    [Theory]
    [MemberData(nameof(Distributions))]
    public void MergedWindowsEqualTheWhole(string distribution)
    {
        var values = Draw(distribution, seed: 11);
        var whole = new LatencyRecorder();
        var parts = new LatencyRecorder();
        var windows = new List<Contracts.Messages.Latency>();
        for (var i = 0; i < values.Length; i++)
        {
            whole.RecordMicroseconds(values[i]);
            parts.RecordMicroseconds(values[i]);
            if (i % 7919 == 0) windows.Add(parts.TakeWindow());
        }
        windows.Add(parts.TakeWindow());

        var merged = LatencyMath.Merge(windows);
        var expected = whole.TakeWindow();
        Assert.Equal(expected.Histogram.Buckets, merged.Histogram.Buckets);
        Assert.Equal(expected.Milliseconds, merged.Milliseconds);
    }

    [Fact]
    public void AStallOfTwoSecondsShowsInP99()
    {
        // A camera of 30 frames per second for ten seconds; the slot keeps the newest frame; work takes 20 ms but for one stall.
        const double frame = 1000.0 / 30;
        var recorder = new LatencyRecorder(TimeSpan.FromMilliseconds(frame));
        var free = 0.0;
        var answered = 0;
        for (var i = 0; i < 300; i++)
        {
            var captured = i * frame;
            var next = captured + frame;
            if (free >= next) continue; // replaced before its turn
            var done = Math.Max(free, captured) + (i == 150 ? 2000 : 20);
            recorder.Record(TimeSpan.FromMilliseconds(done - captured));
            free = done;
            answered++;
        }

        var latency = recorder.TakeWindow();
        Assert.InRange(answered, 235, 245);
        Assert.InRange(latency.Milliseconds!.P99, 1900, 2020);
        Assert.InRange(latency.Milliseconds.P50, 19.9, 21);
    }

    [Fact]
    public void ABoardThatIsAlwaysSlowerThanItsCameraIsNotTakenToStall()
    {
        var recorder = new LatencyRecorder(TimeSpan.FromMilliseconds(33));
        for (var i = 0; i < 1000; i++) recorder.Record(TimeSpan.FromMilliseconds(200 + i % 20));

        var latency = recorder.TakeWindow();
        Assert.Equal(1000, LatencyMath.Count(latency.Histogram));
        Assert.InRange(latency.Milliseconds!.P50, 205, 213);
    }

    [Fact]
    public void RecordingAllocatesNothing()
    {
        var recorder = new LatencyRecorder(TimeSpan.FromMilliseconds(10));
        for (var i = 0; i < 100; i++) recorder.RecordMicroseconds(i * 997);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 10_000; i++) recorder.RecordMicroseconds(i * 97);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void AWindowHoldsWhatCameSinceTheLastOneAndAnEmptyOneHasNoPercentiles()
    {
        var recorder = new LatencyRecorder();
        recorder.RecordMicroseconds(5);
        Assert.Equal([5L, 1L], recorder.TakeWindow().Histogram.Buckets);
        var empty = recorder.TakeWindow();
        Assert.Empty(empty.Histogram.Buckets);
        Assert.Null(empty.Milliseconds);
        recorder.RecordMicroseconds(9);
        Assert.Equal([9L, 1L], recorder.TakeWindow().Histogram.Buckets);
    }

    [Fact]
    public void ValuesBeyondTheRangeAreCountedAtItsEnds()
    {
        var recorder = new LatencyRecorder();
        recorder.Record(TimeSpan.FromSeconds(-3));
        recorder.Record(TimeSpan.FromDays(2));
        var window = recorder.TakeWindow();
        Assert.Equal(2, LatencyMath.Count(window.Histogram));
        Assert.Equal(0, window.Histogram.Buckets[0]);
        Assert.InRange(window.Milliseconds!.Max, 3_600_000, 3_636_000);
    }

    [Theory]
    [InlineData("ms", 2, new long[] { 1, 1 }, "unit")]
    [InlineData("us", 3, new long[] { 1, 1 }, "digits")]
    [InlineData("us", 2, new long[] { 1, 1, 2 }, "pairs")]
    [InlineData("us", 2, new long[] { 5, 1, 5, 1 }, "rise")]
    [InlineData("us", 2, new long[] { -1, 1 }, "rise")]
    [InlineData("us", 2, new long[] { 1, 0 }, "above 0")]
    [InlineData("us", 2, new long[] { 1, long.MaxValue, 2, 1 }, "overflow")]
    public void AnUnsoundHistogramIsNamedForItsDefect(string unit, int digits, long[] buckets, string defect) =>
        Assert.Contains(defect, LatencyMath.Problem(new Histogram { Unit = unit, SignificantDigits = digits, Buckets = buckets }), StringComparison.Ordinal);

    [Fact]
    public void WhatARecorderMakesIsSound()
    {
        var recorder = new LatencyRecorder();
        foreach (var value in Draw("pareto", seed: 3)) recorder.RecordMicroseconds(value);
        Assert.Null(LatencyMath.Problem(recorder.TakeWindow().Histogram));
    }

    private static long[] Draw(string distribution, int seed)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return [.. Enumerable.Range(0, SampleCount).Select(_ => (long)(distribution switch
        {
            "uniform" => 500 + random.NextDouble() * 99_500,
            "exponential" => 1000 - 20_000 * Math.Log(1 - random.NextDouble()),
            "lognormal" => 20_000 * Math.Exp(0.5 * Normal()),
            "bimodal" => random.NextDouble() < 0.9 ? 5_000 + 100 * Normal() : 250_000 + 5_000 * Normal(),
            "pareto" => 2_000 / Math.Pow(1 - random.NextDouble(), 1 / 1.5),
            "constant" => 16_667,
            _ => throw new ArgumentOutOfRangeException(nameof(distribution), distribution, "unknown"),
        }))];
    }
}
