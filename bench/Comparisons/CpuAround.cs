using Dunlin.Bench.Loops;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>
/// What a frame costs beside its inference: in milliseconds, as the threshold is given, and against an inference, which holds it on a machine of
/// any speed.
/// </summary>
/// <param name="Topic">Of the page.</param>
/// <param name="Frames">JPEG or YUYV.</param>
/// <param name="Word">Of the model: fp32 or int8.</param>
/// <param name="Most">Milliseconds.</param>
internal sealed record CpuAround(string Topic, string Frames, string Word, double Most)
{
    private string InMilliseconds => $"{Frames} {Word}: CPU around inference";
    private string AgainstInference => $"{InMilliseconds} ÷ the bare loop's per inference";

    /// <summary>Inferences of the bare loop on the machine that the thresholds were set on.</summary>
    private double PerSecond => Word == "fp32" ? 306 : 665;

    private Threshold Absolute => Threshold.Maximum(Most);
    private Threshold Relative => Threshold.Maximum(Math.Round(Most * PerSecond / 1000, 3));

    public IEnumerable<Measurement> Rows(IReadOnlyList<Throughput> ours, IReadOnlyList<LoopReport> bare)
    {
        var around = ours.Zip(bare, (o, b) => o.CpuMillisecondsPerFrame - b.CpuMilliseconds).ToList();
        yield return Row(Topic, InMilliseconds, "ms", Sample.Of(around), Absolute);
        yield return Row(Topic, AgainstInference, "×", Sample.Ratio(around, bare.Select(b => b.CpuMilliseconds)), Relative);
    }

    public IEnumerable<Measurement> Skipped(string why) =>
        [Measurement.Skipped(Topic, InMilliseconds, "ms", Absolute, why), Measurement.Skipped(Topic, AgainstInference, "×", Relative, why)];
}
