using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Latencies;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Workers;

/// <summary>The real worker process on a folder of real images.</summary>
public sealed class WorkerSupervisorTests : IAsyncDisposable
{
    private static readonly TimeSpan FirstRestartDelay = TimeSpan.FromMilliseconds(20);
    private static readonly WorkerLimits Patient = new() { HeartbeatTimeout = TimeSpan.FromSeconds(30), FirstRestartDelay = FirstRestartDelay };
    private static readonly WorkerLimits Impatient = Patient with { HeartbeatTimeout = TimeSpan.FromSeconds(3) };

    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentQueue<FrameResult> _results = new();
    private readonly ConcurrentQueue<WorkerExit> _exits = new();
    private readonly ConcurrentQueue<FrameWindow> _windows = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lines<WorkerSupervisor> _log = new();

    /// <summary>No worker is taken for hung because the machine stands still for some seconds; <see cref="Impatient"/> is for those that are to be.</summary>
    private WorkerLimits _limits = Patient;
    private RenewSession? _renew;
    private WorkerSupervisor? _supervisor;
    private Task _running = Task.CompletedTask;

    private WorkerSupervisor Supervisor => _supervisor ??= new WorkerSupervisor(
        TestChildren.Host(_folder),
        _limits,
        new WorkerEvents { Result = (_, result) => _results.Enqueue(result), Exited = _exits.Enqueue, Window = (_, window) => _windows.Enqueue(window) },
        _log,
        TimeProvider.System);

    [Fact]
    public async Task AKilledWorkerIsStartedAgainAndResultsGoOn()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => _results.Count > 5, "the first worker classifies");
        Signal("KILL");
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the end is told");
        _results.Clear();
        await Eventually.TrueAsync(() => _results.Count > 5, "the next worker classifies");
        var exit = _exits.First();
        Assert.True(exit.Served);
        Assert.Equal(ChildExitCodes.Killed, exit.Exit.Code);
    }

    [Fact]
    public async Task AStoppedWorkerIsAHangAndIsStartedAgain()
    {
        _limits = Impatient;
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the first worker classifies");
        Signal("STOP");
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the hang is seen");
        var exit = _exits.First();
        Assert.Equal(ChildExitCodes.Hung, exit.Exit.Code);
        Assert.Contains("no heartbeat", exit.Exit.Reason, StringComparison.Ordinal);
        _results.Clear();
        await Eventually.TrueAsync(() => _results.Count > 2, "the next worker classifies");
    }

    [Fact]
    public async Task ASessionMayBeSilentForAsLongAsOneInferenceTakesOnASlowBoard()
    {
        _limits = Impatient;
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        var slow = TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3);
        var runTime = TimeSpan.FromSeconds(8);
        Assert.NotNull((await Supervisor.SwapAsync(slow, new SessionNeeds(0, TimeSpan.Zero, runTime), TestContext.Current.CancellationToken)).Loaded);
        var stopped = Stopwatch.GetTimestamp();
        Signal("STOP");
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the hang is seen");
        Assert.Equal(ChildExitCodes.Hung, _exits.First().Exit.Code);
        Assert.InRange(Stopwatch.GetElapsedTime(stopped), runTime - TimeSpan.FromSeconds(2), TimeSpan.MaxValue);
    }

    [Fact]
    public async Task AModelThatNeedsMoreThanMostHasAProcessThatMayUseItTwice()
    {
        const long needed = 900L * 1024 * 1024;
        var small = new WorkerAssignment { Load = new Load { Session = TestChildren.Session(_folder, [], classes: 3), Camera = new CameraSpec { Kind = CameraKind.Folder, Source = Images }, Loop = new LoopSpec { WindowMilliseconds = 500 } } };
        Assert.Equal(new WorkerLimits().MemoryByteCount, Supervisor.Rules(small).DataByteCount);
        Assert.Equal(new WorkerLimits().ProcessByteCount + 2 * needed, Supervisor.Rules(small with { Needs = new SessionNeeds(needed, TimeSpan.Zero) }).DataByteCount);

        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        var other = TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3);
        var swap = await Supervisor.SwapAsync(other, new SessionNeeds(2 * needed, TimeSpan.Zero), TestContext.Current.CancellationToken);
        Assert.Equal((null, SwapOutcome.NoRoom), (swap.Loaded, swap.Code));
        Assert.NotNull((await Supervisor.SwapAsync(other, new SessionNeeds(needed / 2, TimeSpan.Zero), TestContext.Current.CancellationToken)).Loaded);
    }

    [Fact]
    public async Task ASwapThatEndsWithItsWorkerSaysWhyTheWorkerEnded()
    {
        _limits = Impatient;
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        Signal("STOP");
        var swap = await Supervisor.SwapAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3), default, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.Hung, swap.Code);
        Assert.Contains($"({ChildExitCodes.Hung}): ", swap.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASwapThatHadNoTimeOnACoreIsNotHeldAgainstTheModel()
    {
        _limits = _limits with { HeartbeatTimeout = TimeSpan.FromSeconds(60), LoadTimeout = TimeSpan.FromSeconds(4) };
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        Signal("STOP");
        var swap = await Supervisor.SwapAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3), default, TestContext.Current.CancellationToken);
        Assert.Equal((ChildExitCodes.Starved, false), (swap.Code, Vetting.IsOfTheModel(swap.Code)));
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "its end is told");
        Assert.Equal(ChildExitCodes.Starved, _exits.First().Exit.Code);
    }

    [Fact]
    public async Task ASwapChangesTheModelWithoutAnotherProcessAndABrokenOneLeavesTheOldServing()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        var process = Supervisor.ProcessId;
        var broken = await Supervisor.SwapAsync(TestChildren.Session(_folder, HostileModels.Garbage, "garbage", 3), default, TestContext.Current.CancellationToken);
        Assert.Null(broken.Loaded);
        Assert.Equal("model.load", broken.Code);
        var swap = await Supervisor.SwapAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3), default, TestContext.Current.CancellationToken);
        Assert.Equal("other", swap.Loaded?.Contender.Variant);
        _windows.Clear();
        await Eventually.TrueAsync(() => _windows.Any(window => window.Session == 2 && window.Frames.Classified > 0), "the session of the second swap serves");
        Assert.Equal(process, Supervisor.ProcessId);
        Assert.Empty(_exits);
    }

    [Fact]
    public async Task WindowsCountWhatWasClassifiedAndTheLoopAllocatesNothing()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => _windows.Count >= 4, "windows come");
        var windows = _windows.ToList();
        Assert.All(windows, window => Assert.InRange(window.Frames.Classified, 0, 1000));
        // A frame at a window's end may be counted as classified in one window and by its class in the next.
        var classified = windows.Sum(one => one.Frames.Classified);
        Assert.InRange(classified, 1, long.MaxValue);
        Assert.InRange(windows.Sum(one => one.Classes.Values.Sum()), classified - 1, classified + 1);
        Assert.InRange(windows.Sum(one => one.Confidence.Sum()), classified - 1, classified + 1);
        Assert.Equal(0, windows[^1].AllocatedByteCount);
        Assert.All(windows[^1].Classes.Keys, index => Assert.InRange(index, 0, 2));
    }

    // So slow that one is nearly always in hand when the worker is stopped.
    [Fact]
    public async Task AStallCountsAsTheResultsThatShouldHaveComeMeanwhile()
    {
        const int side = 28, leastMissed = 3, resultsForThePace = 16;
        var assignment = await AssignmentAsync(OnnxModels.Tiny(side, classes: 3, channels: 128, depth: 30));
        var session = assignment.Load.Session with { Input = OnnxModels.Pixels(side, scale: 1 / 255f) };
        _running = Supervisor.RunAsync(assignment with { Load = assignment.Load with { Session = session } }, _stop.Token);
        await Eventually.TrueAsync(() => _results.Count >= resultsForThePace && !_windows.IsEmpty, "the worker classifies");
        var windows = await StalledAsync();
        // On a busy core the worker waits for its turn where it has just said a result, too, and then has none in hand; and its camera, for frames to be due.
        for (var again = 0; again < 2 && !(windows.Exists(IsStall) && Missed(windows) >= leastMissed); again++) windows = await StalledAsync();
        Assert.Contains(windows, IsStall);
        Assert.InRange(Missed(windows), leastMissed, long.MaxValue);

        static long Missed(List<FrameWindow> windows) => windows.Sum(window => LatencyMath.Count(window.Latency) - window.Frames.Classified);

        static bool IsStall(FrameWindow window) => LatencyMath.Percentile(window.Latency, 99) >= 1800;

        async Task<List<FrameWindow>> StalledAsync()
        {
            Signal("STOP");
            await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
            _windows.Clear();
            Signal("CONT");
            await Eventually.TrueAsync(() => _windows.Sum(window => window.Frames.Classified) > 2, "it goes on");
            return [.. _windows];
        }
    }

    [Fact]
    public async Task WindowsGetAnotherLengthAlsoInTheNextWorker()
    {
        await Start(OnnxModels.BrightestChannel());
        Supervisor.SetWindow(TimeSpan.FromSeconds(1.5));
        await IsLongAsync();
        Signal("KILL");
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the end is told");
        await IsLongAsync();

        async Task IsLongAsync()
        {
            _windows.Clear();
            // The first may still be of the former length, and one in which the machine stood still is longer, and the next one shorter.
            await Eventually.TrueAsync(
                () => _windows.Skip(1).TakeLast(2).Count(window => window.WindowSeconds is > 1.4 and < 3) == 2, () => $"windows of 1.5 s come; the last ones: {string.Join(", ", _windows.TakeLast(5).Select(window => window.WindowSeconds))}");
        }
    }

    [Fact]
    public async Task AModelThatDoesNotLoadIsToldAndTriedAgainWithBackOff()
    {
        await Start(HostileModels.Garbage);
        await Eventually.TrueAsync(() => _exits.Count >= 2, "two workers ended");
        Assert.All(_exits, exit => Assert.False(exit.Served));
        Assert.All(_exits, exit => Assert.Equal("model.load", exit.LoadError?.Code));
    }

    [Fact]
    public async Task ACameraFolderThatIsDeletedAndMadeAnewIsReadAgain()
    {
        await Start(OnnxModels.BrightestChannel(), "color=red:size=64x48");
        await Eventually.TrueAsync(() => _results.Count > 2, "the worker classifies");
        Assert.All(_results, result => Assert.Equal(0, result.Scores[0].Index));
        foreach (var (colour, index) in ((string, int)[])[("blue", 2), ("red", 0), ("blue", 2)])
        {
            Directory.Delete(Images, recursive: true);
            await FilmAsync($"color={colour}:size=64x48");
            _results.Clear();
            await Eventually.TrueAsync(() => _results.Count(result => result.Scores[0].Index == index) > 2, "the new folder is read");
        }

        // No worker has failed, so none waits longer than the one before.
        var delays = _log.All.Where(line => line.Contains("The next worker starts in", StringComparison.Ordinal)).Select(line => int.Parse(line.Split(' ')[^2], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(3, delays.Count);
        Assert.All(delays, delay => Assert.InRange(delay, 0, FirstRestartDelay.TotalMilliseconds));
    }

    [Fact]
    public async Task AnotherAssignmentDoesNotWaitForWhatTheOneBeforeItHasFailedAt()
    {
        _limits = _limits with { FirstRestartDelay = TimeSpan.FromHours(1), LongestRestartDelay = TimeSpan.FromHours(1) };
        await Start(HostileModels.Garbage);
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the worker has ended");
        Supervisor.Assign(await AssignmentAsync(OnnxModels.BrightestChannel(), "good"));
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the next worker classifies");
    }

    [Fact]
    public async Task BeforeAWorkerStartsAgainItsSessionIsLookedAfter()
    {
        var saved = TestChildren.Session(_folder, OnnxModels.BrightestChannel(), "saved", classes: 3);
        var asked = new ConcurrentQueue<SessionSpec>();
        var lost = "The saved model is gone.";
        _renew = (session, _) =>
        {
            asked.Enqueue(session);
            return Task.FromResult<(SessionSpec?, string?)>(asked.Count == 1 ? (null, lost) : (saved, null));
        };
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => _results.Count > 2, "the first worker classifies");
        Assert.Empty(asked);
        File.Delete(Path.Combine(_folder.Sub("release-tiny"), "tiny.onnx"));
        Signal("KILL");
        await Eventually.TrueAsync(() => _exits.Count >= 2, "the next worker does not start");
        Assert.Equal((ChildExitCodes.NotStarted, lost), (_exits.Last().Exit.Code, _exits.Last().Exit.Reason));
        _results.Clear();
        await Eventually.TrueAsync(() => _results.Count > 2, "the one after that classifies");
        Assert.Equal(2, asked.Count);
        Assert.All(asked, session => Assert.Equal("tiny", session.Contender.Variant));
    }

    [Fact]
    public async Task AFrameIsSentWhenThereIsOneAndElseWhyThereIsNone()
    {
        var patience = TimeSpan.FromSeconds(1);
        Assert.Contains("No worker serves", (await SnapshotAsync(patience)).Problem, StringComparison.Ordinal);
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        Directory.Delete(Images, recursive: true);
        await Eventually.TrueAsync(async () => (await SnapshotAsync(patience)).Problem?.Contains("No frame was classified within 1 s", StringComparison.Ordinal) == true, "there are no frames any more");
        await FilmAsync("testsrc=size=64x48:rate=4");
        await Eventually.TrueAsync(async () => (await SnapshotAsync(patience)).Snapshot is { Width: 64, Height: 48 }, "the next frame is sent");
    }

    [Fact]
    public async Task AWorkerThatEndsWhileItIsAskedForAFrameIsNotWaitedFor()
    {
        _limits = Impatient;
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        Signal("STOP");
        var (snapshot, problem) = await SnapshotAsync(TimeSpan.FromMinutes(1));
        Assert.Null(snapshot);
        Assert.Contains("The worker ended", problem, StringComparison.Ordinal);
    }

    private Task<(FrameSnapshot? Snapshot, string? Problem)> SnapshotAsync(TimeSpan patience) => Supervisor.SnapshotAsync(patience, TestContext.Current.CancellationToken);

    private void Signal(string name) => ProcessTable.Signal(Supervisor.ProcessId!.Value, name);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        var process = Supervisor.ProcessId;
        await _running;
        Assert.False(process is { } id && Directory.Exists($"/proc/{id}"), "the worker outlived its supervisor");
        _stop.Dispose();
        _folder.Dispose();
    }

    private string Images => _folder.Sub("images");

    private async Task Start(byte[] model, string film = "testsrc=size=64x48:rate=4") => _running = Supervisor.RunAsync(await AssignmentAsync(model, film: film), _stop.Token);

    private async Task<WorkerAssignment> AssignmentAsync(byte[] model, string variant = "tiny", string film = "testsrc=size=64x48:rate=4")
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the images, is not installed.");
        await FilmAsync(film);
        return new WorkerAssignment
        {
            Load = new Load
            {
                Session = TestChildren.Session(_folder, model, variant, classes: 3),
                Camera = new CameraSpec { Kind = CameraKind.Folder, Source = Images, FramesPerSecond = 20 },
                Loop = new LoopSpec { WindowMilliseconds = 500, TopCount = 3 },
            },
            Read = [_folder.Sub("release-garbage"), _folder.Sub("release-other")],
            Renew = _renew,
        };
    }

    private async Task FilmAsync(string film)
    {
        using var ffmpeg = Process.Start("/usr/bin/ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", film, "-frames:v", "4", Path.Combine(Images, "%d.jpg")]);
        await ffmpeg.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
