using System.Globalization;
using Dunlin.Bench.Loops;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>What ten frames a second cost: ours, Node's tuned and as it comes, and a loop in which nothing can spin.</summary>
internal static class PacedComparison
{
    private const string Topic = "peer";
    private const double Rate = 10;
    private const double Stretch = 2.5;

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        var rows = new List<Measurement>();
        foreach (var (variant, word) in new[] { (MobileNet.Float, "fp32"), (MobileNet.Integer, "int8") })
        {
            var why = !rig.Workshop.HasImageNet ? rig.Workshop.NoImageNet : !rig.Workshop.HasAgent ? $"no published agent at {rig.Workshop.Agent}"
                : !rig.Workshop.HasNodePeer ? "no Node program" : null;
            if (why is null)
            {
                rows.AddRange(await RunAsync(rig, variant, word));
                continue;
            }

            rows.Add(Measurement.Skipped(Topic, $"{word}: CPU at 10 frames/s ÷ Node's, tuned", "×", Tuned, why));
            rows.Add(Measurement.Skipped(Topic, $"{word}: CPU at 10 frames/s ÷ Node's, as it comes", "×", AsItComes, why));
            rows.Add(Measurement.Skipped(Topic, $"{word}: CPU wasted by spinning", "%", Spinning, why));
        }

        return rows;
    }

    private static async Task<IEnumerable<Measurement>> RunAsync(Rig rig, string variant, string word)
    {
        var material = new MobileNet(rig.Workshop);
        var frames = material.Photographs.Frames(rig.Workshop);
        var duration = rig.Duration * Stretch;
        var agent = new AgentProcess(rig.Workshop, rig.Broker) { Bundle = material.Bundle(), Frames = frames, Variant = variant, FramesPerSecond = Rate };
        var tuned = new NodeProcess(rig.Workshop, rig.Broker, Tuned: true) { Model = material.ModelPath(variant), Frames = frames, FramesPerSecond = Rate };
        var plain = tuned with { Tuned = false };
        await agent.PrimeAsync(rig.CancellationToken);
        // The worker's very file: where its pages lie in memory is worth ten per cent.
        string[] loop = [PacedLoop.Verb, agent.SavedModel, frames, Number(Rate), Number(duration.TotalSeconds)];
        var cpu = await Interleaved.RunAsync<(double All, double Worker)>(Math.Max(1, rig.Settings.Rounds / 2),
            async () => Cpu(await rig.MeasureAsync(agent.StartAsync, duration)),
            async () => Cpu(await rig.MeasureAsync(tuned.StartAsync, duration)),
            async () => Cpu(await rig.MeasureAsync(plain.StartAsync, duration)),
            async () =>
            {
                // At the same time: neighbours on the same cores and caches cost both alike.
                var beside = LoopReport.OfChildAsync(loop, rig.CancellationToken);
                var worker = Cpu(await rig.MeasureAsync(agent.StartAsync, duration)).Worker;
                return ((await beside).CpuMilliseconds, worker);
            });
        var idle = new List<double>();
        for (var leg = 0; leg < 2; leg++)
        {
            await using var process = await agent.StartAsync(rig.CancellationToken);
            idle.Add(100 * await process.MeasureIdleAsync(Settings.WarmUp, duration, TimeSpan.FromSeconds(1 / Rate), rig.CancellationToken));
        }

        var all = cpu.Select(leg => leg.Select(pair => pair.All).ToList()).ToList();
        var worker = cpu.Select(leg => leg.Select(pair => pair.Worker).ToList()).ToList();
        return
        [
            Row(Topic, $"{word}: CPU at 10 frames/s ÷ Node's, tuned", "×", Sample.Ratio(all[0], all[1]), Tuned),
            Row(Topic, $"{word}: CPU at 10 frames/s ÷ Node's, as it comes", "×", Sample.Ratio(all[0], all[2]), AsItComes),
            Row(Topic, $"{word}: CPU wasted by spinning", "%", Sample.Of(idle), Spinning,
                "of the worker's CPU time at 10 frames/s, what falls between a result and shortly before the next frame, when there is nothing to do; its reports are in it"),
            Row(Topic, $"{word}: worker above a loop beside it", "%", Sample.Of(worker[3].Zip(all[3], (w, l) => 100 * (w - l) / w)), null,
                "the loop reads, decodes, infers and sleeps on one thread: pipe, reports and thread changes are the difference"),
            Row(Topic, $"{word}: our CPU per frame at 10 frames/s", "ms", Sample.Of(all[0])),
            Row(Topic, $"{word}: of that the worker", "ms", Sample.Of(worker[0])),
            Row(Topic, $"{word}: Node's, tuned", "ms", Sample.Of(all[1])),
            Row(Topic, $"{word}: Node's, as it comes", "ms", Sample.Of(all[2])),
            Row(Topic, $"{word}: the loop's in which nothing can spin", "ms", Sample.Of(all[3])),
        ];
    }

    private static Threshold Tuned => Threshold.Maximum(0.70);
    private static Threshold AsItComes => Threshold.Maximum(0.20);
    private static Threshold Spinning => Threshold.Maximum(5);

    private static (double All, double Worker) Cpu(Throughput throughput) => (throughput.CpuMillisecondsPerFrame, throughput.WorkerCpuMillisecondsPerFrame);

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
