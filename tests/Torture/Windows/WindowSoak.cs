using System.Diagnostics;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Worker;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Pipeline;
using Dunlin.Telemetry.Board;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;
using Dunlin.Torture.Results;
using Dunlin.Torture.Updates;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Torture.Windows;

/// <summary>
/// Row 39: a million telemetry windows, one after the other as fast as the broker acknowledges them, leave nothing behind.
/// The agent's own parts in this process, from the frame loop's recorder over energy, heat and the outbox to Mosquitto.
/// </summary>
internal sealed class WindowSoak(string work, CaseStore results)
{
    private const int RoundCount = 10;
    private const int WindowsOfARound = 100_000;
    private const int WindowsOfALook = 1_000;
    private const int FramesOfAWindow = 10;

    /// <summary>What pools and caches take at first they keep.</summary>
    private const int WarmUp = 10_000;

    /// <summary>Of live objects, per window: in a year of windows every ten seconds it would be 3 MB.</summary>
    private const double MostLiveBytesPerWindow = 1;

    /// <summary>Anonymous memory per window that is still noise of the garbage collector: in that year it would be 32 MB.</summary>
    private const double MostBytesPerWindow = 10;

    /// <summary>Of descriptors and threads: three in a round.</summary>
    private const double MostHandlesPerWindow = 3.0 / WindowsOfARound;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private static readonly Hardware Board = new()
    {
        Model = "Torture", CpuModel = "Torture", Architecture = "x64", Cores = 2, MemoryByteCount = 1 << 30, Kernel = "6", OperatingSystem = "Debian",
    };

    private static readonly SessionSpec Session = new()
    {
        ModelPath = "tiny.onnx", Saved = false, Release = Digest.Of("release"u8), Contender = SampleMessages.Contender, Input = OnnxModels.Pixels(scale: 1 / 255f),
        Output = OnnxModels.Scores, Labels = [.. Enumerable.Range(0, 10).Select(i => $"class {i}")], Number = 1,
    };

    private readonly WindowRecorder _recorder = new(Session.Labels.Count, frameInterval: null, TimeProvider.System);
    private readonly ClassScore[] _scores = new ClassScore[1];
    private long _frames;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var rounds = Enumerable.Range(0, RoundCount).Select(NameOf).Where(name => !results.IsDone(name)).ToList();
        if (rounds.Count == 0) return;
        var folder = Path.Combine(work, "windows");
        Trees.Delete(folder);
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { LogsPackets = false });
        var (time, ticks) = (TimeProvider.System, new LoopTicks(TimeProvider.System));
        var identity = new LinkIdentity(new Topics("soak", "w"), Guid.NewGuid().ToString("N"), "0", Board);
        var options = new MqttOptions { Host = broker.Host, Port = broker.Port };
        using var link = new MqttLink(identity, options, ticks, time, NullLogger<MqttLink>.Instance);
        using var outbox = new MessageOutbox(new OutboxDirectories(Path.Combine(folder, "outcomes"), Path.Combine(folder, "telemetry")), link, identity, options, ticks, time, NullLogger<MessageOutbox>.Instance);
        var sensors = new BoardSensors();
        using var energy = new EnergySampler(PowerMeters.Discover(new PowerOptions(), time), new PowerOptions(), time, sensors.ReadBusySeconds, NullLogger<EnergySampler>.Instance);
        var report = new WindowReport(identity, new MessageSequence(), energy, new ThermalWatch(sensors), sensors, outbox, time);
        using var reader = await SequenceReader.StartAsync(broker, identity.Topics.Telemetry, cancellationToken);
        await Task.WhenAll(energy.StartAsync(cancellationToken), link.StartAsync(cancellationToken), outbox.StartAsync(cancellationToken));
        await link.WaitConnectedAsync(cancellationToken).WaitAsync(Patience, cancellationToken);

        Task SendAsync() => SendOneAsync(report, broker.ProcessId, outbox, reader, cancellationToken);
        for (var i = 0; i < WarmUp; i++) await SendAsync();
        foreach (var name in rounds) results.Add(await RoundAsync(name, SendAsync));
        await Task.WhenAll(outbox.StopAsync(cancellationToken), link.StopAsync(cancellationToken), energy.StopAsync(cancellationToken));
    }

    private static string NameOf(int round) => FormattableString.Invariant($"windows {(round * WindowsOfARound) + 1} to {(round + 1) * WindowsOfARound}");

    private static async Task<CaseResult> RoundAsync(string name, Func<Task> sendAsync)
    {
        var started = Stopwatch.GetTimestamp();
        var (live, sizes) = (new List<double>(), new List<ProcessSize>());
        for (var i = 1; i <= WindowsOfARound; i++)
        {
            await sendAsync();
            if (i % WindowsOfALook != 0) continue;
            live.Add(GC.GetTotalMemory(forceFullCollection: true));
            sizes.Add(ProcessSize.Of(Environment.ProcessId));
        }

        var half = sizes.Count / 2;
        static double Peak(List<ProcessSize> sizes) => sizes.Max(size => size.Megabytes);
        double PerWindow(IEnumerable<double> values) => Growth.PerStep([.. values]) / WindowsOfALook;
        var numbers = new Dictionary<string, double>
        {
            ["megabytes"] = Peak(sizes),
            ["liveBytesPerWindow"] = PerWindow(live),
            // The collector lets its heap swell and shrink again: what counts is where the swelling ends.
            ["bytesPerWindow"] = 1024 * 1024 * (Peak(sizes[half..]) - Peak(sizes[..half])) / (half * WindowsOfALook),
            ["descriptorsPerWindow"] = PerWindow(sizes.Select(size => (double)size.Descriptors)),
            ["threadsPerWindow"] = PerWindow(sizes.Select(size => (double)size.Threads)),
        };
        var holds = numbers["liveBytesPerWindow"] <= MostLiveBytesPerWindow && numbers["bytesPerWindow"] <= MostBytesPerWindow
            && numbers["descriptorsPerWindow"] <= MostHandlesPerWindow && numbers["threadsPerWindow"] <= MostHandlesPerWindow;
        var detail = holds ? "each arrived once and in order, and nothing grew" : string.Join(", ", numbers.Select(number => FormattableString.Invariant($"{number.Key} {number.Value:0.######}")));
        return new CaseResult(name, holds, detail, Stopwatch.GetElapsedTime(started).TotalSeconds, numbers);
    }

    private async Task SendOneAsync(WindowReport report, int worker, MessageOutbox outbox, SequenceReader reader, CancellationToken cancellationToken)
    {
        for (var i = 0; i < FramesOfAWindow; i++) RecordFrame();
        var window = _recorder.Take(new PipelineCounts(_frames, 0, 0, 0, 0, 0, _frames, 0), [], Session.Number, SampleMessages.Camera);
        outbox.Add(report.Compose(window, TimeProvider.System.GetTimestamp(), Session, worker));
        await reader.NextAsync(Patience, cancellationToken);
        // The outbox paces what it sends in a row; the next one shall find it empty.
        var waited = Stopwatch.GetTimestamp();
        while (outbox.Counts.Queued > 0)
        {
            if (Stopwatch.GetElapsedTime(waited) > Patience) throw new TimeoutException("The outbox keeps a window that has arrived.");
            Thread.Yield();
        }
    }

    private void RecordFrame()
    {
        var random = Random.Shared;
        _scores[0] = new ClassScore(random.Next(Session.Labels.Count), random.NextSingle());
        var inference = random.NextInt64(1_000_000, 50_000_000);
        _recorder.Record(new FrameOutcome
        {
            Number = ++_frames, CapturedNanoseconds = 0, Contender = Session.Contender, Session = Session.Number, WaitNanoseconds = 100_000, PreprocessNanoseconds = 200_000,
            InferenceNanoseconds = inference, PostprocessNanoseconds = 10_000, TotalNanoseconds = inference + 310_000, Scores = _scores,
        });
    }
}
