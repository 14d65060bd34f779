using System.Text.Json;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Systemd;
using Dunlin.Agent.Updates;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.State;
using Dunlin.Bundles.Store;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>
/// A device of a test: real state folder, store, trust, outbox and engine under a clock of the test; models are not run, and
/// artifacts come from the fleet's shelf. <see cref="RestartAsync"/> is a power cut: everything in memory is gone.
/// </summary>
internal sealed class TestBoard : IAsyncDisposable
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();
    private readonly List<Release> _shelf = [];
    private CancellationTokenSource _stop = new();
    private MessageOutbox? _outbox;
    private MqttLink? _link;
    private TaskCompletionSource _released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task _running = Task.CompletedTask;

    /// <param name="state">The folder of its state; null: one of its own.</param>
    public TestBoard(string? state = null)
    {
        Time = new FakeTimeProvider(SampleDocuments.Noon);
        Clock = new SteppedClock(Time);
        Fleet = new Fleet(Path.Combine(_folder.Path, "shelf"), SampleDocuments.Noon);
        Layout = new StateLayout(state ?? _folder.Sub("state"));
        Files = new StateFiles(Layout);
        Files.WriteRoot(Fleet.SignedRoot());
    }

    public FakeTimeProvider Time { get; }

    /// <summary>What the device reads.</summary>
    public SteppedClock Clock { get; }

    public Fleet Fleet { get; }
    public StateLayout Layout { get; }
    public StateFiles Files { get; }
    public UpdateOptions Options { get; } = new() { TrialSeconds = 1, MinimumRuns = 1 };
    public string FactoryBundle { get; set; } = "";
    public double CameraFramesPerSecond { get; init; } = 30;
    public bool IsClockSynchronized { get; init; }

    /// <summary>Releases that were switched to, in order; null: nothing served.</summary>
    public List<Digest?> Served { get; } = [];

    /// <summary>Fetches; null: from the shelf.</summary>
    public Func<IReadOnlyList<Blob>, IReadOnlyList<ArtifactSource>, Action<FetchProgress>?, CancellationToken, Task<FetchResult>>? Fetch { get; set; }

    /// <summary>What the fetch says instead of fetching; null: it fetches.</summary>
    public Func<IReadOnlyList<Blob>, UpdateFailure?> FetchFailure { get; set; } = _ => null;

    /// <summary>Waited for before each fetch, check and race.</summary>
    public Func<string, CancellationToken, Task> Gate { get; set; } = (_, _) => Task.CompletedTask;

    public Func<Bundle, UpdateFailure?> CheckFailure { get; set; } = _ => null;
    public Func<Digest?, UpdateFailure?> SwitchFailure { get; set; } = _ => null;

    /// <summary>What the worker says in a trial, each quarter second; null: nothing.</summary>
    public Func<Digest, FrameWindow?> Window { get; set; } = release => SampleWindows.Good();

    public UpdateEngine Engine { get; private set; } = null!;
    public UpdateRecords Records { get; private set; } = null!;
    public TrialWatch Trial { get; private set; } = null!;
    public DeviceReport Report { get; private set; } = null!;
    public ReleaseStore Releases { get; private set; } = null!;
    public ServiceStatusText Status { get; private set; } = null!;

    public Journal Journal => Files.ReadJournal().Value ?? new Journal { Schema = Journal.CurrentSchema, State = UpdateState.Idle };

    public Release Publish(int number, int securityEpoch = 1, Func<Manifest, Manifest>? change = null)
    {
        var release = Fleet.Publish(number, securityEpoch, change);
        _shelf.Add(release);
        return release;
    }

    /// <summary>Puts a release on the shelf that was made elsewhere.</summary>
    public Release Keep(Release release)
    {
        _shelf.Add(release);
        return release;
    }

    /// <summary>Stops at a place until it is released, or the action is broken off.</summary>
    public void Hold(string place, TaskCompletionSource reached) => Gate = async (where, cancellationToken) =>
    {
        if (where != place) return;
        reached.TrySetResult();
        await _released.Task.WaitAsync(cancellationToken);
    };

    public void Release()
    {
        _released.TrySetResult();
        _released = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>What the boot does before services start, then the engine.</summary>
    public void Start()
    {
        var identity = new LinkIdentity(new Topics(Fleet.Name, Fleet.Device), Guid.NewGuid().ToString("N"), "0.1.0", SampleMessages.Status().Hardware);
        var options = new MqttOptions { Host = "" };
        var (ticks, sequence) = (new LoopTicks(Clock), new MessageSequence());
        _link = new MqttLink(identity, options, ticks, Clock, NullLogger<MqttLink>.Instance);
        _outbox = new MessageOutbox(new OutboxDirectories(Layout.Outcomes, Layout.Telemetry), _link, identity, options, ticks, Clock, NullLogger<MessageOutbox>.Instance);
        Status = new ServiceStatusText();
        Report = new DeviceReport(_link, identity, sequence, Status, Clock);
        Releases = new ReleaseStore(Layout, BoardFacts.Read());
        Trial = new TrialWatch(Clock, TimeSpan.FromSeconds(1), CameraFramesPerSecond);
        var clock = new TrustedClock(Clock, SampleDocuments.Noon.AddDays(-1), () => IsClockSynchronized);
        var trust = new TrustState(Files, identity.Topics, clock, NullLogger<TrustState>.Instance);
        var records = Records = new UpdateRecords(Files, _outbox, identity, sequence, Clock);
        var gate = new ReleaseGate(new DeviceOptions { Bundle = FactoryBundle }, Options, Files, Releases);
        var parts = new UpdateParts
        {
            Fetch = FetchAsync,
            Switch = SwitchAsync,
            Proof = new ProofOnPaper(this),
            Gate = gate,
            Releases = Releases,
            Blobs = new BlobStore(Layout),
            Quarantine = new Quarantined(Files, NullLogger<Quarantined>.Instance),
            Trial = Trial,
        };
        var freeze = new FreezeWatch(trust, Report, Clock);
        var story = new UpdateStory(records, trust, freeze, Layout, Report, Clock);
        var desk = new DocumentDesk(records, trust, story, freeze, Report, clock, NullLogger<DocumentDesk>.Instance);
        var recovery = new BootRecovery(records, Releases, parts.Blobs, new ModelCache(Layout.Cache), gate, trust, NullLogger<BootRecovery>.Instance);
        recovery.Run();
        Served.Add(gate.Open().Release?.Bundle.ReleaseId);
        _stop = new CancellationTokenSource();
        Engine = new UpdateEngine(parts, records, new UpdateSteps(parts, records, trust, clock, Options, Clock), desk, story, Report, recovery, ticks, Clock, NullLogger<UpdateEngine>.Instance);
        _running = Engine.RunAsync(_stop.Token);
    }

    public async Task RestartAsync()
    {
        await StopAsync();
        Start();
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        while (!_running.IsCompleted)
        {
            Time.Advance(Step);
            await Task.Delay(1);
        }

        _outbox?.Dispose();
        _link?.Dispose();
        (_outbox, _link) = (null, null);
    }

    public void Send(DsseEnvelope desired, bool isRetained = false) => Engine.Receive(DocumentKind.Desired, DsseEnvelope.Format.Write(desired), isRetained);

    public void SendFresh(DsseEnvelope fresh) => Engine.Receive(DocumentKind.Fresh, DsseEnvelope.Format.Write(fresh), false);

    public void SendRoots(params DsseEnvelope[] roots) =>
        Engine.Receive(DocumentKind.Root, RootChain.Format.Write(new RootChain { Schema = RootChain.CurrentSchema, Roots = roots }), false);

    /// <summary>Lets the board's time go on, and the worker speak, until something holds.</summary>
    public async Task UntilAsync(Func<bool> condition, string what)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            if (_running.IsFaulted) await _running;
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
                Assert.Fail($"It did not come true: {what}. The journal says {Journal.State}, {Journal.Reason}: {Journal.Detail}; problems: {string.Join(" ", Status.Problems)}");
            await PassAsync();
        }
    }

    public async Task PassAsync()
    {
        if (Served.LastOrDefault() is { } serving && Window(serving) is { } window) Trial.Observe(SampleWindows.Session(serving), window);
        Time.Advance(Step);
        await Task.Delay(1);
    }

    public Task EndsAsync(DsseEnvelope directive) =>
        UntilAsync(() => Journal.State == UpdateState.Idle && Outcomes().Any(o => o.Directive == IdOf(directive)), $"the directive {IdOf(directive)} ends");

    public async Task<Outcome> RunAsync(DsseEnvelope directive)
    {
        Send(directive);
        await EndsAsync(directive);
        var outcome = Outcomes().Single(outcome => outcome.Directive == IdOf(directive));
        TestContext.Current.TestOutputHelper?.WriteLine(outcome.ToString());
        return outcome;
    }

    public static Digest IdOf(DsseEnvelope directive) => Digest.Of(directive.Payload.Span);

    /// <summary>What lies in the outbox, which nobody drains here.</summary>
    public IReadOnlyList<Outcome> Outcomes()
    {
        List<Outcome> found = [];
        if (!Directory.Exists(Layout.Outcomes)) return found;
        foreach (var segment in Directory.EnumerateFiles(Layout.Outcomes, "*.seg").Order())
        {
            using var file = new FileStream(segment, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            var header = new byte[8];
            while (file.ReadAtLeast(header, header.Length, throwOnEndOfStream: false) == header.Length)
            {
                var payload = new byte[BitConverter.ToInt32(header, 0)];
                if (file.ReadAtLeast(payload, payload.Length, throwOnEndOfStream: false) < payload.Length) break;
                found.Add(JsonSerializer.Deserialize(payload, MessageJson.Default.Outcome)!);
            }
        }

        return found;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        Fleet.Dispose();
        _stop.Dispose();
        _folder.Dispose();
    }

    private async Task<FetchResult> FetchAsync(IReadOnlyList<Blob> blobs, IReadOnlyList<ArtifactSource> sources, Action<FetchProgress>? progress, CancellationToken cancellationToken)
    {
        await Gate("fetch", cancellationToken);
        if (FetchFailure(blobs) is var (code, detail)) return FetchResult.Failure(code, detail);
        if (Fetch is { } fetch) return await fetch(blobs, sources, progress, cancellationToken);
        DurableFile.CreateDirectory(Layout.Blobs);
        foreach (var blob in blobs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (new BlobStore(Layout).IsWhole(blob)) continue;
            var source = _shelf.Select(release => LayoutBlob(release, blob)).First(File.Exists);
            DurableFile.Write(Layout.Blob(blob.Digest), await File.ReadAllBytesAsync(source, cancellationToken));
        }

        return FetchResult.Success;
    }

    private static string LayoutBlob(Release release, Blob blob) => blob.Digest == release.Signature.Digest
        ? Directory.EnumerateFiles(Path.Combine(release.Bundle.Path, "blobs", "sha256"), blob.Digest.Hex).FirstOrDefault() ?? "-"
        : release.Bundle.PathOf(blob);

    private async Task<UpdateFailure?> SwitchAsync(ServedRelease? release, Verdict? verdict, CancellationToken cancellationToken)
    {
        await Gate("switch", cancellationToken);
        var id = release?.Bundle.ReleaseId;
        if (SwitchFailure(id) is { } problem) return problem;
        Served.Add(id);
        return null;
    }

    /// <summary>The releases whose saved models were kept last; null before the first time.</summary>
    public IReadOnlySet<Digest>? SavedModelsKept { get; set; }

    /// <summary>Runs no model: says what the test says.</summary>
    private sealed class ProofOnPaper(TestBoard board) : IReleaseProof
    {
        public async Task<CheckEnd> CheckAsync(Bundle bundle, CancellationToken cancellationToken)
        {
            await board.Gate("check", cancellationToken);
            return new CheckEnd([], board.CheckFailure(bundle));
        }

        public async Task<Verdict> RaceAsync(Bundle bundle, Objective? objective, IReadOnlyList<Vetted> vetted, CancellationToken cancellationToken)
        {
            await board.Gate("race", cancellationToken);
            return SampleMessages.Race();
        }

        public Verdict? FindVerdict(Bundle bundle, Objective? objective) => SampleMessages.Race();

        public void CollectCache(IReadOnlySet<Digest> releases) => board.SavedModelsKept = releases;
    }
}
