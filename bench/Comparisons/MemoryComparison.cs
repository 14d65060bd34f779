using System.Diagnostics;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>The demo bundle's memory and start, and how fast a saved model loads.</summary>
internal static class MemoryComparison
{
    private const string Topic = "memory";
    private static readonly TimeSpan SteadyState = TimeSpan.FromSeconds(10);

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig) => [.. await DemoAsync(rig), .. Loading(rig)];

    private static async Task<IEnumerable<Measurement>> DemoAsync(Rig rig)
    {
        var demo = new DemoBundle(rig.Workshop);
        var why = !rig.Workshop.HasAgent ? $"no published agent at {rig.Workshop.Agent}" : !DemoBundle.HasFrames ? "no dataset-fashion-mnist"
            : !Directory.Exists(Path.Combine(rig.Workshop.DemoBundle, "blobs")) ? "no demo bundle" : null;
        if (why is not null)
        {
            return
            [
                Measurement.Skipped(Topic, "supervisor and worker with the demo bundle, PSS", "MiB", Pss, why),
                Measurement.Skipped(Topic, "start to first result, cached verdict", "ms", Start, why),
            ];
        }

        var agent = new AgentProcess(rig.Workshop, rig.Broker) { Bundle = rig.Workshop.DemoBundle, Frames = demo.Frames(), MaximumThreads = 0, FramesPerSecond = 30 };
        await agent.PrimeAsync(rig.CancellationToken);
        var starts = new List<double>();
        for (var i = 0; i < rig.Settings.Starts; i++)
        {
            await using var process = await agent.StartAsync(rig.CancellationToken);
            starts.Add(process.StartMilliseconds);
        }

        var steady = await rig.MeasureAsync(agent.StartAsync, SteadyState);
        return
        [
            Row(Topic, "supervisor and worker with the demo bundle, PSS", "MiB", Sample.Of([steady.PssMebibytes]), Pss),
            Row(Topic, "of that the worker", "MiB", Sample.Of([steady.WorkerPssMebibytes])),
            Row(Topic, "start to first result, cached verdict", "ms", Sample.Of(starts), Start, "with the wait for the folder's next frame at 30 frames/s"),
        ];
    }

    private static IEnumerable<Measurement> Loading(Rig rig)
    {
        var plain = ResNet18.Spec(rig.Workshop);
        var saved = rig.Workshop.Saved(plain);
        Load(plain);
        Load(saved);
        var (uncached, cached) = (new List<double>(), new List<double>());
        for (var i = 0; i < rig.Settings.Starts; i++)
        {
            uncached.Add(Load(plain));
            cached.Add(Load(saved));
        }

        return
        [
            Row(Topic, "ResNet-18: loading the saved model ÷ the model file", "×", Sample.Ratio(cached, uncached), Threshold.Maximum(0.15)),
            Row(Topic, "ResNet-18: from the model file", "ms", Sample.Of(uncached)),
            Row(Topic, "ResNet-18: saved", "ms", Sample.Of(cached)),
        ];
    }

    private static double Load(SessionSpec spec)
    {
        var start = Stopwatch.GetTimestamp();
        using var session = ModelSession.Create(spec);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }

    private static Threshold Pss => Threshold.Maximum(90);
    private static Threshold Start => Threshold.Maximum(400);
}
