using System.Globalization;
using System.Text;

namespace Dunlin.Bench.Reporting;

/// <summary>docs/performance.md: what one run measured, and nothing else.</summary>
internal static class PerformancePage
{
    /// <summary>Topics in the order of the page, with their heading and how they are measured.</summary>
    private static readonly (string Key, string Heading, string How)[] Topics =
    [
        ("pipeline", "The whole pipeline against a bare loop", """
            Frames per second of results at an MQTT subscriber, divided by the inferences per second of a bare ONNX Runtime loop (C#, `IoBinding`, one thread, no spinning), side by side. Both map the very file that the worker saved: where a file's pages lie in memory can be worth a tenth of the time. JPEG: the published agent, supervisor and worker, 640×480 frames from a folder as fast as they are taken, every result published to Mosquitto on loopback. YUYV: no V4L2 camera is to be had here, so the real frame loop runs sequentially in a bench process over synthesized frames; they are read where they are, as those of a driver; results go through a pipe as JSON, are parsed, made into messages and published by the agent's own MQTT link; without the process border and the sandbox. CPU around inference: user and system time of all processes of ours per frame, less the bare loop's CPU per inference; a row without a threshold says what is left of the YUYV loop's CPU time without that of its own thread within its inferences, which noise between processes does not reach. The thresholds in milliseconds come from a machine whose bare loop made 306 (fp32) and 665 (int8) inferences a second; this machine's bare loop stands below.
            """),
        ("allocation", "Memory allocated per frame", "The published worker under the agent's supervisor classes, driven by the bench; `allocatedByteCount` of its windows of one second after the third, over the frames of these windows."),
        ("peer", "Against a Node program", """
            `bench/peers/node`: onnxruntime-node, sharp and mqtt; frames held in memory; sequential, as such programs are. Tuned: one intra-op thread, no spinning, sharp with one thread. As it comes: defaults; a machine that ONNX Runtime takes for a single core, as it does some virtual ones, gets one thread, which has nobody to spin for and costs what the tuned one does. ONNX Runtime's telemetry is off for all. Memory is PSS of all processes in steady state. Start: from exec to the first result at the subscriber; ours with a cached verdict. CPU: user and system time of all processes at 10 frames per second.
            """),
        ("memory", "Memory and starting", "The demo bundle; PSS of supervisor and worker together after ten seconds of frames; time from exec to the first result at an MQTT subscriber with a cached verdict. Loading: a ResNet-18 with random weights, sessions created in turns from the model file and from its saved form, files in the page cache."),
        ("fetch", "Fetching a blob", "256 MB from nginx on loopback. The fetch hashes each chunk and the whole, and ends when all of it is synced to the disk; curl only writes the file into the page cache, so it is also compared with curl, sha256sum and sync one after the other."),
        ("update", "An update", """
            The demo bundle, pushed to the published agent, which serves another release at 10 frames a second meanwhile: fetch, static check, golden sets, race, switch, a trial of 5 s. Registry, nginx and Mosquitto are Debian's, on loopback. Time: from the start of `dunlin-fleet push --wait` to its end, which is the device's word that the release is committed. Gaps: between arrivals of results at an MQTT subscriber, from ten results before the first of the new release to ten after it. Verification: reading and judging a directive that was pushed, against the fleet's root.
            """),
        ("quantize", "Quantizing", "MobileNetV2 of the shared data by `dunlin-optimizer quantize` as it comes, a process each time: calibrated on 200 of the 500 photographs, tested on the other 300, for five seeded splits. Points lost are pooled over the splits, answers of the float model and of the quantized one paired by photograph. Speed: bare ONNX Runtime loops in turns."),
        ("race", "The race", "In one process, on saved models, as in a heat. Exhaustive best: interleaved runs of every contender before and after the races, pooled; the objective is p95. A miss is a winner whose p95 there is more than 5 % above the best one's."),
    ];

    public static string Write(ResultFile results)
    {
        var page = new StringBuilder();
        var judged = results.Measurements.Where(m => m.Threshold is not null).ToList();
        var machine = results.Machine;
        page.AppendLine("# How fast it is").AppendLine();
        page.AppendLine("Written by `./build.sh bench` from one run; every ratio is of things measured side by side in it (order A B B A, the median of the pairs, lowest and highest beside it). Nothing here was typed by a person.").AppendLine();
        page.AppendLine(Invariant($"**{judged.Count(m => m.Passed == true)} of {judged.Count} thresholds met, {judged.Count(m => m.Passed == false)} missed, {judged.Count(m => m.Passed is null)} skipped.**")).AppendLine();
        page.AppendLine(Invariant($"Measured {results.Started:yyyy-MM-dd HH:mm} UTC in {results.Minutes:0} minutes (`{results.Arguments}`), commit `{results.Commit}`, on {machine.Cores} cores of {machine.Cpu}, {machine.MemoryGibibytes:0.0} GiB, Linux {machine.Kernel}, {machine.DotNet}, ONNX Runtime {machine.OnnxRuntime}. Noise: load {machine.LoadBefore:0.00} before the run; the hypervisor took {machine.StolenPercent:0.0} % of the CPU time."));
        foreach (var topic in Topics) Section(page, topic.Heading, topic.How, [.. results.Measurements.Where(m => m.Topic == topic.Key)]);
        page.AppendLine().AppendLine("## Again").AppendLine();
        page.AppendLine("`./build.sh bench` on a machine with nothing else to do; `./build.sh bench --quick` to see that it works (its numbers mean little and are not written here); `./build.sh bench micro` for the parts by BenchmarkDotNet. Rows that need the photographs and MobileNetV2 want `../shared/data/imagenet`, or `DUNLIN_SHARED`.");
        return page.ToString();
    }

    /// <summary>One row for a terminal.</summary>
    public static string Line(Measurement row) => $"{row.Name,-70} {Value(row),-18} {Spread(row),-24} {Must(row),-8} {Verdict(row)}";

    private static void Section(StringBuilder page, string heading, string how, IReadOnlyList<Measurement> rows)
    {
        if (rows.Count == 0) return;
        page.AppendLine().AppendLine(Invariant($"## {heading}")).AppendLine().AppendLine(how.Trim()).AppendLine();
        page.AppendLine("| what | median | lowest … highest (n) | must | aim | |").AppendLine("|---|---|---|---|---|---|");
        foreach (var row in rows) page.AppendLine(Invariant($"| {row.Name} | {Value(row)} | {Spread(row)} | {Must(row)} | {Aim(row)} | {Verdict(row)} |"));
    }

    private static string Value(Measurement row) => row.Value is { } value ? $"{Number(value.Median)} {row.Unit}" : "";

    private static string Spread(Measurement row) => row.Value is not { } value ? ""
        : value.Count == 1 ? "(1)" : Invariant($"{Number(value.Low)} … {Number(value.High)} ({value.Count})");

    private static string Must(Measurement row) => row.Threshold is { } threshold ? $"{(threshold.AtLeast ? "≥" : "≤")} {Plain(threshold.Must)}" : "";

    private static string Aim(Measurement row) => row.Threshold?.Aim is { } aim ? $"{(row.Threshold.AtLeast ? "≥" : "≤")} {Plain(aim)}" : "";

    private static string Verdict(Measurement row)
    {
        var word = row.Passed switch { true => "met", false => "**missed**", null => "" };
        return row.Note.Length == 0 ? word : word.Length == 0 ? row.Note : $"{word}; {row.Note}";
    }

    private static string Number(double value) => Math.Abs(value) switch
    {
        0 => "0",
        < 10 => value.ToString("0.000", CultureInfo.InvariantCulture),
        < 100 => value.ToString("0.0", CultureInfo.InvariantCulture),
        _ => value.ToString("0", CultureInfo.InvariantCulture),
    };

    private static string Plain(double value) => value.ToString("0.###", CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
