using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Energy;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Children;
using Dunlin.Agent.Tests.Reporting;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Serving;

/// <summary>
/// Serving as the agent has it, with real children and a real broker. Of the demo bundle only the first and the lightest
/// variant may race, and by a verdict of earlier the first has won, and the other needs half its CPU time; the windows are what a test says.
/// </summary>
internal sealed class ServingBoard : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly HurriedTime _time = new();
    private readonly TestDevice _device;
    private readonly ChildHost _host;
    private readonly ModelCache _cache;
    private readonly Vetting _vetting;
    private readonly Race _race;
    private WorkerSupervisor? _supervisor;
    private volatile int _restarts;
    private readonly RaceOptions _options = new() { MaximumThreads = 1, BudgetSeconds = 2 };
    private readonly EnergySampler _energy = new(new DiscoveredMeters(null, null, []), new PowerOptions(), TimeProvider.System, () => null, NullLogger<EnergySampler>.Instance);

    private ServingBoard(TestDevice device, bool hasBundle)
    {
        _device = device;
        _host = TestChildren.Host(_folder);
        Bundle = Bundle.Open(RepositoryFolder.Copy(RepositoryFolder.DemoBundle, _folder["bundle"]));
        (Heavy, Light) = (new ContenderId(Bundle.Manifest.Variants[0].Id, Providers.Cpu, 1), new ContenderId(DemoVariants.Lightest, Providers.Cpu, 1));
        var files = new StateFiles(new StateLayout(_folder.Sub("state")));
        _cache = new ModelCache(files.Layout.Cache);
        _cache.Recover();
        var heats = new HeatRunner(_host, NullLogger<HeatRunner>.Instance, TimeProvider.System);
        var quarantine = new Quarantined(files, NullLogger<Quarantined>.Instance);
        foreach (var other in Bundle.Manifest.Variants.Where(variant => variant.Id != Heavy.Variant && variant.Id != Light.Variant))
            quarantine.Add(Bundle.ReleaseId, other, "golden.failed", "It is not of this test.", SampleDocuments.Noon);
        _vetting = new Vetting(heats, _cache, quarantine, Facts, TimeProvider.System);
        _race = new Race(heats, _vetting, quarantine, () => Facts, _options, new EnergyProbe(), TimeProvider.System);
        var verdicts = new VerdictStore(files.Layout.Verdicts, NullLogger<VerdictStore>.Instance);
        verdicts.Save(VerdictOfEarlier());
        var parts = new ServingParts
        {
            Gate = new ReleaseGate(new DeviceOptions { Bundle = hasBundle ? _folder["bundle"] : "" }, new UpdateOptions { AllowUnsigned = true }, files, new ReleaseStore(files.Layout, Facts)),
            Race = _race,
            Vetting = _vetting,
            Verdicts = verdicts,
            Idle = new IdlePower(_energy, files, TimeProvider.System, NullLogger<IdlePower>.Instance),
            Trial = Trial,
            CreateSeat = SeatOf,
        };
        Serving = new ServingService(parts, device.Report, device.Ticks, _time, Log);
    }

    /// <summary>Milliseconds of p95 that the heavy contender has in the verdict of earlier.</summary>
    public const double PromisedMilliseconds = 10;

    public Bundle Bundle { get; }
    public ContenderId Heavy { get; }
    public ContenderId Light { get; }
    public ServingService Serving { get; }
    public TrialWatch Trial { get; } = new(TimeProvider.System, TimeSpan.FromSeconds(10), framesPerSecond: 10);
    public Lines<ServingService> Log { get; } = new();

    /// <summary>What the board says of itself from now on.</summary>
    public BoardFacts Facts { get; set; } = BoardFacts.Read();

    /// <summary>Whoever else hears that a worker has ended.</summary>
    public Action WorkerExited { get; set; } = () => { };

    public bool HasWorker => _supervisor!.ProcessId is not null;

    /// <param name="hasBundle">Whether it has one of its own, as configured.</param>
    public static async Task<ServingBoard> StartAsync(bool hasBundle = true)
    {
        var board = new ServingBoard(await TestDevice.StartAsync(), hasBundle);
        await board.Serving.StartAsync(TestContext.Current.CancellationToken);
        return board;
    }

    public Task RunsAsync(ContenderId contender) =>
        Eventually.TrueAsync(() => _device.Report.Running == contender, () => $"{contender} runs; the log says:\n{string.Join('\n', Log.All)}", TimeSpan.FromSeconds(90));

    /// <summary>Waits for lines of the log.</summary>
    public Task SaysAsync(string part, int times) => Eventually.TrueAsync(
        () => Log.All.Count(line => line.Contains(part, StringComparison.Ordinal)) >= times, () => $"'{part}' is said {times} times; the log says:\n{string.Join('\n', Log.All)}", TimeSpan.FromSeconds(90));

    /// <summary>Lets hours pass, in which nothing happens but looks at the board, until the log has the line.</summary>
    public Task LooksAsync(string part) => Eventually.TrueAsync(
        () =>
        {
            _time.Advance(TimeSpan.FromMinutes(5));
            Observe(Heavy, PromisedMilliseconds);
            return Log.All.Any(line => line.Contains(part, StringComparison.Ordinal));
        },
        () => $"'{part}' is said; the log says:\n{string.Join('\n', Log.All)}");

    /// <summary>Windows of a worker that keeps up, but for so many results that come late.</summary>
    public void Observe(ContenderId running, double p95Milliseconds, int count = 1, int lateCount = 0)
    {
        var inference = SampleMessages.Latency with { Milliseconds = new Percentiles(p95Milliseconds, p95Milliseconds, p95Milliseconds, p95Milliseconds) };
        var sample = SampleMessages.Telemetry();
        for (var i = 0; i < count; i++)
        {
            Serving.Observe(sample with
            {
                Release = Bundle.ReleaseId, Running = running, Stages = new Dictionary<string, Latency> { ["inference"] = inference },
                Thermal = new ThermalWindow(), Battery = null, Frames = sample.Frames with { Late = lateCount },
            });
        }
    }

    /// <summary>The newest report that fits.</summary>
    public async Task<Reported> ReportedAsync(Func<Reported, bool> fits)
    {
        var message = await _device.NewestAsync(_device.Identity.Topics.Reported, message => fits(Read(message)));
        return Read(message);

        static Reported Read(ProbedMessage message) => JsonSerializer.Deserialize(message.Payload, MessageJson.Default.Reported)!;
    }

    /// <summary>The disk loses a variant, its saved form included.</summary>
    public void Lose(ContenderId contender)
    {
        var variant = Bundle.Manifest.Variants.Single(variant => variant.Id == contender.Variant);
        File.Delete(Path.Combine(_folder["bundle"], "blobs", "sha256", variant.Blob.Digest.Hex));
        _cache.KeepOnly(_vetting.KeysOf(Bundle.Manifest.Variants.Where(other => other != variant)));
    }

    /// <summary>The disk loses all saved models and takes no more: a file lies where they are to be.</summary>
    public void LoseCache()
    {
        Directory.Delete(_cache.Root, recursive: true);
        File.WriteAllBytes(_cache.Root, []);
    }

    /// <summary>The disk loses all saved models.</summary>
    public void EmptyCache()
    {
        foreach (var folder in Directory.GetDirectories(_cache.Root)) Directory.Delete(folder, recursive: true);
        foreach (var hashes in Directory.GetFiles(_cache.Root)) File.Delete(hashes);
    }

    /// <summary>The disk turns a bit of each saved model.</summary>
    public void DamageCache()
    {
        foreach (var path in Directory.GetFiles(_cache.Root, SavedModel.WeightsFile, SearchOption.AllDirectories))
        {
            using var file = File.Open(path, FileMode.Open);
            file.Position = file.Length / 2;
            var bits = file.ReadByte();
            file.Position--;
            file.WriteByte((byte)(bits ^ 1));
        }
    }

    /// <summary>Of the files of the saved models, as they are.</summary>
    public IReadOnlyList<string> Hashes => [.. Directory.GetFiles(_cache.Root, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).Select(path => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(path))))];

    /// <summary>And the report has heard of it.</summary>
    public async Task KillWorkerAsync()
    {
        var restarts = _restarts;
        using (var worker = Process.GetProcessById(_supervisor!.ProcessId!.Value)) worker.Kill();
        await Eventually.TrueAsync(() => _restarts > restarts, "the end is told");
    }

    public async ValueTask DisposeAsync()
    {
        await Serving.StopAsync(CancellationToken.None);
        Serving.Dispose();
        await _device.DisposeAsync();
        _race.Dispose();
        _vetting.Dispose();
        _energy.Dispose();
        _folder.Dispose();
    }

    private Verdict VerdictOfEarlier()
    {
        var conditions = _race.ConditionsOf(Bundle, _race.Enumerate(Bundle, incumbent: null));
        return SampleMessages.Race() with
        {
            Conditions = conditions, Fingerprint = Fingerprint.Of(conditions), Winner = Heavy, Reason = "It won earlier.",
            Contenders = [Ran(Heavy, ContenderOutcome.Won, PromisedMilliseconds, cpuMilliseconds: 10), Ran(Light, ContenderOutcome.Lost, PromisedMilliseconds + 1, cpuMilliseconds: 5)],
        };
    }

    private static ContenderVerdict Ran(ContenderId contender, ContenderOutcome outcome, double p95Milliseconds, double cpuMilliseconds) => SampleMessages.Race().Contenders[0] with
    {
        Contender = contender, Outcome = outcome, CpuMilliseconds = cpuMilliseconds, LatencyMilliseconds = new Percentiles(p95Milliseconds, p95Milliseconds, p95Milliseconds, p95Milliseconds),
    };

    private WorkerSeat SeatOf(RenewSession renew, CancellationToken stopping)
    {
        var events = new WorkerEvents { Loaded = loaded => _device.Report.WorkerLoaded(loaded.Contender), Exited = Hear };
        _supervisor = new WorkerSupervisor(_host, new WorkerLimits(), events, NullLogger<WorkerSupervisor>.Instance, TimeProvider.System);
        var camera = new CameraFeed(new CameraOptions { Source = _folder.Sub("frames") }, _host, NullLoggerFactory.Instance, TimeProvider.System);
        return new WorkerSeat(_supervisor, camera, WorkerSeat.LoopOf(new ResultOptions(), _options, new TelemetryOptions()), _cache.Root, renew, stopping);
    }

    private void Hear(WorkerExit exit)
    {
        _device.Report.WorkerExited(exit);
        _restarts++;
        WorkerExited();
    }

    /// <summary>The monotonic clock runs ahead as a test says; timers do not.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        private long _ahead;

        public override long GetTimestamp() => base.GetTimestamp() + Volatile.Read(ref _ahead);

        public void Advance(TimeSpan time) => Interlocked.Add(ref _ahead, (long)(time.TotalSeconds * TimestampFrequency));
    }
}
