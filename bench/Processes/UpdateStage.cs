using System.Diagnostics;
using Dunlin.Bench.Comparisons;
using Dunlin.Bench.Material;
using Dunlin.Bench.Measuring;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bench.Processes;

/// <summary>A fleet with two signed releases: the one that a board leaves its factory with, and the demo bundle.</summary>
internal sealed class UpdateStage
{
    private const int Rate = 10;
    private const int TrialSeconds = 5;
    private const int MinimumRuns = 40;
    private const int AroundSwitch = 10;
    private const int VerificationCount = 1000;

    private readonly Rig _rig;
    private readonly string _folder;
    private readonly FleetProgram _fleet;
    private readonly string _factory;
    private readonly string _demo;
    private readonly string _frames;
    private int _boards;
    private byte[] _directive = [];

    private UpdateStage(Rig rig, string folder, FleetProgram fleet)
    {
        (_rig, _folder, _fleet) = (rig, folder, fleet);
        (_factory, _demo) = (Path.Combine(folder, "factory"), Path.Combine(folder, "demo"));
        _frames = new DemoBundle(rig.Workshop).Frames();
    }

    public static async Task<UpdateStage> CreateAsync(Rig rig, string folder)
    {
        var stage = new UpdateStage(rig, folder, await FleetProgram.CreateAsync(rig.Workshop, folder, AgentProcess.Fleet));
        MadeBundle.Write(stage._factory, ("plain", OnnxModels.BrightestChannel(MadeBundle.Side, sharpness: 10)));
        using (var copy = Process.Start("cp", ["-r", rig.Workshop.DemoBundle, stage._demo])) await copy.WaitForExitAsync(rig.CancellationToken);
        await stage._fleet.RunAsync("sign", stage._factory);
        await stage._fleet.RunAsync("sign", stage._demo);
        return stage;
    }

    public Task PublishAsync(string target, params string[] options) => _fleet.RunAsync(["publish", _demo, target, .. options]);

    /// <summary>A board that was never here before takes the demo bundle.</summary>
    public async Task<Update> UpdateAsync(string source)
    {
        var device = $"board-{++_boards}";
        var state = new StateLayout(Path.Combine(_folder, device));
        Directory.CreateDirectory(Path.GetDirectoryName(state.TrustRoot)!);
        File.Copy(_fleet.Root, state.TrustRoot);
        await using var probe = await MqttProbe.ConnectAsync("127.0.0.1", _rig.Broker.Port, _ => { }, $"dunlin/v1/{AgentProcess.Fleet}/{device}/#");
        var agent = new AgentProcess(_rig.Workshop, _rig.Broker)
        {
            Bundle = _factory, Frames = _frames, Device = device, FramesPerSecond = Rate,
            Set = [$"Device:StateDirectory={state.Root}", "Updates:AllowUnsigned=false", $"Updates:TrialSeconds={TrialSeconds}", $"Updates:MinimumRuns={MinimumRuns}"],
        };
        await using var process = await agent.StartAsync(_rig.CancellationToken);
        var seconds = await _fleet.RunAsync(
            "push", _demo, "--broker", $"127.0.0.1:{_rig.Broker.Port}", "--to", device, "--source", source,
            "--trial", $"{TrialSeconds}s", "--minimum-runs", $"{MinimumRuns}", "--wait", "--timeout", "1m");
        _directive = probe.Messages.Last(message => message.Topic.EndsWith("/desired", StringComparison.Ordinal)).Payload;
        return AcrossSwitch([.. probe.Messages.Where(message => message.Topic.EndsWith("/result", StringComparison.Ordinal))], seconds);
    }

    /// <summary>Milliseconds to read and judge the last directive, as a board does.</summary>
    public Sample Verification()
    {
        var root = Root.Format.Read(DsseEnvelope.Format.Read(File.ReadAllBytes(_fleet.Root)).GetOrThrow().Payload.Span).GetOrThrow();
        var device = $"board-{_boards}";
        var context = new TrustContext { Fleet = AgentProcess.Fleet, Device = device, Root = root, Floors = FloorRules.Begin(root), BuildTime = root.Issued };
        var times = new List<double>();
        for (var i = 0; i < VerificationCount; i++)
        {
            var start = Stopwatch.GetTimestamp();
            var (result, _) = Acceptance.Judge(DsseEnvelope.Format.Read(_directive).GetOrThrow(), context);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (!result.IsAccepted) throw new InvalidOperationException($"The directive was refused: {result.Detail}");
        }

        return Sample.Of(times);
    }

    private Update AcrossSwitch(IReadOnlyList<ProbedMessage> results, double seconds)
    {
        var demo = Bundle.Open(_demo, BundleCheck.ManifestOnly).ReleaseId.ToString();
        var read = results.Select(message => (message.Arrived, Release: Text(message, "release"), Frame: message.Json.GetProperty("frame").GetInt64())).ToList();
        var change = read.FindIndex(result => result.Release == demo);
        if (change < AroundSwitch || change + AroundSwitch > read.Count) throw new InvalidOperationException($"Of {read.Count} results number {change} is the first of the new release.");
        var around = read[(change - AroundSwitch)..(change + AroundSwitch)];
        return new Update(
            seconds,
            around.Zip(around.Skip(1), (a, b) => Stopwatch.GetElapsedTime(a.Arrived, b.Arrived).TotalMilliseconds).Max(),
            around.Zip(around.Skip(1), (a, b) => Math.Abs(b.Frame - a.Frame - 1)).Sum());
    }

    private static string? Text(ProbedMessage message, string name) => message.Json.GetProperty(name).GetString();
}

/// <summary>One update as it was seen from outside.</summary>
/// <param name="Seconds">From the start of the push to its end.</param>
/// <param name="GapMilliseconds">The longest between two results across the switch.</param>
/// <param name="MissingOrDouble">Frames across the switch without exactly one result.</param>
internal sealed record Update(double Seconds, double GapMilliseconds, double MissingOrDouble);
