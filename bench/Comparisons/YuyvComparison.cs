using System.Diagnostics;
using System.Globalization;
using Dunlin.Bench.Loops;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>The sequential frame loop on YUYV frames against the bare loop.</summary>
internal static class YuyvComparison
{
    private const string Topic = "pipeline";
    private const string Device = "yuyv";

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        var rows = new List<Measurement>();
        foreach (var (variant, word, must) in new[] { (MobileNet.Float, "fp32", 0.95), (MobileNet.Integer, "int8", 0.87) })
        {
            if (rig.Workshop.HasImageNet)
            {
                rows.AddRange(await RunAsync(rig, variant, word, must));
                continue;
            }

            rows.Add(Measurement.Skipped(Topic, $"YUYV {word}, sequential: pipeline ÷ bare loop", "×", Threshold.Minimum(must), rig.Workshop.NoImageNet));
            rows.AddRange(Around(word).Skipped(rig.Workshop.NoImageNet));
        }

        return rows;
    }

    private static async Task<IEnumerable<Measurement>> RunAsync(Rig rig, string variant, string word, double must)
    {
        var bare = new List<LoopReport>();
        var ours = new List<Throughput>();
        var outside = new List<double>();
        var saved = new MobileNet(rig.Workshop).Saved(variant).ModelPath;
        var port = rig.Broker.Port.ToString(CultureInfo.InvariantCulture);
        await Interleaved.RunAsync<int>(rig.Settings.Rounds,
            async () =>
            {
                bare.Add(await LoopReport.OfChildAsync([BareLoop.Verb, saved, rig.Settings.Seconds.ToString(CultureInfo.InvariantCulture)], rig.CancellationToken));
                return bare.Count;
            },
            async () =>
            {
                await using var process = await MeasuredProcess.StartAsync(
                    new ProcessStartInfo(Environment.ProcessPath!, [YuyvLoop.Verb, rig.Workshop.Folder, variant, port, Device]), rig.Broker, $"dunlin/v1/bench/{Device}/result", rig.CancellationToken);
                ours.Add(await process.MeasureAsync(Settings.WarmUp, rig.Duration, rig.CancellationToken));
                outside.Add(double.Parse(await process.EndAsync(), CultureInfo.InvariantCulture));
                return ours.Count;
            });
        return
        [
            Row(Topic, $"YUYV {word}, sequential: pipeline ÷ bare loop", "×", Sample.Ratio(ours.Select(o => o.FramesPerSecond), bare.Select(b => b.PerSecond)), Threshold.Minimum(must)),
            .. Around(word).Rows(ours, bare),
            Row(Topic, $"YUYV {word}: CPU of the loop less its own inference thread's within the runs", "ms", Sample.Of(outside)),
            Row(Topic, $"YUYV {word}: pipeline", "frames/s", Sample.Of(ours.Select(o => o.FramesPerSecond))),
        ];
    }

    private static CpuAround Around(string word) => new(Topic, "YUYV", word, 0.35);
}
