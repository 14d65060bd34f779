using System.Globalization;
using Dunlin.Bench.Loops;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bench.Processes;
using Dunlin.Bench.Reporting;
using static Dunlin.Bench.Comparisons.Rig;

namespace Dunlin.Bench.Comparisons;

/// <summary>The agent on JPEG frames against the bare loop and the Node program, all in turns.</summary>
internal static class PipelineComparison
{
    private const string Pipeline = "pipeline";
    private const string Peer = "peer";

    public static async Task<IReadOnlyList<Measurement>> RunAsync(Rig rig)
    {
        var rows = new List<Measurement>();
        foreach (var (variant, word, faster) in new[] { (MobileNet.Float, "fp32", 1.4), (MobileNet.Integer, "int8", 1.7) })
        {
            if (!rig.Workshop.HasImageNet) rows.AddRange(Skipped(word, faster, rig.Workshop.NoImageNet));
            else if (!rig.Workshop.HasAgent) rows.AddRange(Skipped(word, faster, $"no published agent at {rig.Workshop.Agent}"));
            else rows.AddRange(await RunAsync(rig, variant, word, faster));
        }

        return rows;
    }

    private static async Task<IEnumerable<Measurement>> RunAsync(Rig rig, string variant, string word, double faster)
    {
        var material = new MobileNet(rig.Workshop);
        var frames = material.Photographs.Frames(rig.Workshop);
        var agent = new AgentProcess(rig.Workshop, rig.Broker) { Bundle = material.Bundle(), Frames = frames, Variant = variant };
        await agent.PrimeAsync(rig.CancellationToken);
        var bare = new List<LoopReport>();
        var node = new List<Throughput>();
        var ours = new List<Throughput>();
        var peer = new NodeProcess(rig.Workshop, rig.Broker, Tuned: true) { Model = material.ModelPath(variant), Frames = frames };
        if (rig.Workshop.HasNodePeer) await rig.PrimeAsync(peer.StartAsync);
        await Interleaved.RunAsync<bool>(rig.Settings.Rounds,
            async () => Add(bare, await LoopReport.OfChildAsync([BareLoop.Verb, agent.SavedModel, Number(rig.Settings.Seconds)], rig.CancellationToken)),
            async () => Add(ours, await rig.MeasureAsync(agent.StartAsync)),
            async () => rig.Workshop.HasNodePeer && Add(node, await rig.MeasureAsync(peer.StartAsync)));
        return [.. PipelineRows(word, bare, ours), .. node.Count > 0 ? PeerRows(word, faster, ours, node) : SkippedPeer(word, faster, "no Node program")];
    }

    private static IEnumerable<Measurement> PipelineRows(string word, List<LoopReport> bare, List<Throughput> ours)
    {
        yield return Row(Pipeline, $"JPEG {word}: pipeline ÷ bare loop", "×", Sample.Ratio(ours.Select(o => o.FramesPerSecond), bare.Select(b => b.PerSecond)), Ratio);
        foreach (var row in Around(word).Rows(ours, bare)) yield return row;
        yield return Row(Pipeline, $"JPEG {word}: pipeline", "frames/s", Sample.Of(ours.Select(o => o.FramesPerSecond)));
        yield return Row(Pipeline, $"JPEG {word}: CPU of supervisor and worker", "ms", Sample.Of(ours.Select(o => o.CpuMillisecondsPerFrame)));
        yield return Row(Pipeline, $"JPEG {word}: of that the worker", "ms", Sample.Of(ours.Select(o => o.WorkerCpuMillisecondsPerFrame)));
        yield return Row(Pipeline, $"bare loop {word}", "frames/s", Sample.Of(bare.Select(b => b.PerSecond)));
        yield return Row(Pipeline, $"bare loop {word}: CPU", "ms", Sample.Of(bare.Select(b => b.CpuMilliseconds)));
    }

    private static IEnumerable<Measurement> PeerRows(string word, double faster, List<Throughput> ours, List<Throughput> node)
    {
        yield return Row(Peer, $"{word}: frames per second ÷ Node's, tuned", "×", Sample.Ratio(ours.Select(o => o.FramesPerSecond), node.Select(n => n.FramesPerSecond)), Threshold.Minimum(faster));
        yield return Row(Peer, $"{word}: worker's memory ÷ Node's", "×", Sample.Ratio(ours.Select(o => o.WorkerPssMebibytes), node.Select(n => n.PssMebibytes)), WorkerMemory);
        yield return Row(Peer, $"{word}: memory of both processes ÷ Node's", "×", Sample.Ratio(ours.Select(o => o.PssMebibytes), node.Select(n => n.PssMebibytes)), Memory);
        yield return Row(Peer, $"{word}: start to first publish ÷ Node's", "×", Sample.Ratio(ours.Select(o => o.StartMilliseconds), node.Select(n => n.StartMilliseconds)), Start);
        yield return Row(Peer, $"{word}: Node", "frames/s", Sample.Of(node.Select(n => n.FramesPerSecond)));
        yield return Row(Peer, $"{word}: Node's memory", "MiB", Sample.Of(node.Select(n => n.PssMebibytes)));
        yield return Row(Peer, $"{word}: Node's start to first publish", "ms", Sample.Of(node.Select(n => n.StartMilliseconds)));
        yield return Row(Peer, $"{word}: our memory", "MiB", Sample.Of(ours.Select(o => o.PssMebibytes)));
        yield return Row(Peer, $"{word}: our start to first publish", "ms", Sample.Of(ours.Select(o => o.StartMilliseconds)));
    }

    private static IEnumerable<Measurement> Skipped(string word, double faster, string why) =>
    [
        Measurement.Skipped(Pipeline, $"JPEG {word}: pipeline ÷ bare loop", "×", Ratio, why),
        .. Around(word).Skipped(why),
        .. SkippedPeer(word, faster, why),
    ];

    private static IEnumerable<Measurement> SkippedPeer(string word, double faster, string why) =>
    [
        Measurement.Skipped(Peer, $"{word}: frames per second ÷ Node's, tuned", "×", Threshold.Minimum(faster), why),
        Measurement.Skipped(Peer, $"{word}: worker's memory ÷ Node's", "×", WorkerMemory, why),
        Measurement.Skipped(Peer, $"{word}: memory of both processes ÷ Node's", "×", Memory, why),
        Measurement.Skipped(Peer, $"{word}: start to first publish ÷ Node's", "×", Start, why),
    ];

    private static Threshold Ratio => Threshold.Minimum(0.95, aim: 0.98);
    private static Threshold WorkerMemory => Threshold.Maximum(0.35);
    private static Threshold Memory => Threshold.Maximum(0.50);
    private static Threshold Start => Threshold.Maximum(0.5);

    private static CpuAround Around(string word) => new(Pipeline, "JPEG", word, 1.0);

    private static bool Add<T>(List<T> list, T item)
    {
        list.Add(item);
        return true;
    }

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);
}
