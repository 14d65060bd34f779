using System.Collections.Concurrent;
using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Workers;

/// <summary>The real worker process on a folder of real images.</summary>
public sealed class WorkerSupervisorTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ConcurrentQueue<FrameResult> _results = new();
    private readonly ConcurrentQueue<WorkerExit> _exits = new();
    private readonly ConcurrentQueue<FrameWindow> _windows = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WorkerSupervisor _supervisor;
    private Task _running = Task.CompletedTask;

    public WorkerSupervisorTests() => _supervisor = new WorkerSupervisor(
        TestChildren.Host(_folder),
        new WorkerLimits { HeartbeatTimeout = TimeSpan.FromSeconds(3), FirstRestartDelay = TimeSpan.FromMilliseconds(20) },
        new WorkerEvents { Result = (_, result) => _results.Enqueue(result), Exited = _exits.Enqueue, Window = (_, window) => _windows.Enqueue(window) },
        new Lines<WorkerSupervisor>(),
        TimeProvider.System);

    [Fact]
    public async Task AKilledWorkerIsStartedAgainAndResultsGoOn()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => _results.Count > 5, "the first worker classifies");
        using (var worker = Process.GetProcessById(_supervisor.ProcessId!.Value)) worker.Kill();
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
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the first worker classifies");
        using (var stop = Process.Start("kill", ["-STOP", $"{_supervisor.ProcessId}"])) await stop.WaitForExitAsync(TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the hang is seen");
        var exit = _exits.First();
        Assert.Equal(ChildExitCodes.Hung, exit.Exit.Code);
        Assert.Contains("no heartbeat", exit.Exit.Reason, StringComparison.Ordinal);
        _results.Clear();
        await Eventually.TrueAsync(() => _results.Count > 2, "the next worker classifies");
    }

    [Fact]
    public async Task AModelThatNeedsMoreThanMostHasAProcessThatMayUseItTwice()
    {
        const long needed = 900L * 1024 * 1024;
        var small = new WorkerAssignment { Load = new Load { Session = TestChildren.Session(_folder, [], classes: 3), Camera = new CameraSpec { Kind = CameraKind.Folder, Source = Images }, Loop = new LoopSpec { WindowMilliseconds = 500 } } };
        Assert.Equal(new WorkerLimits().MemoryByteCount, _supervisor.Rules(small).DataByteCount);
        Assert.Equal(new WorkerLimits().ProcessByteCount + 2 * needed, _supervisor.Rules(small with { Needs = new SessionNeeds(needed, TimeSpan.Zero) }).DataByteCount);

        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        var other = TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3);
        var swap = await _supervisor.SwapAsync(other, new SessionNeeds(2 * needed, TimeSpan.Zero), TestContext.Current.CancellationToken);
        Assert.Equal((null, SwapOutcome.NoRoom), (swap.Loaded, swap.Code));
        Assert.NotNull((await _supervisor.SwapAsync(other, new SessionNeeds(needed / 2, TimeSpan.Zero), TestContext.Current.CancellationToken)).Loaded);
    }

    [Fact]
    public async Task ASwapThatEndsWithItsWorkerSaysWhyTheWorkerEnded()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        using (var stop = Process.Start("kill", ["-STOP", $"{_supervisor.ProcessId}"])) await stop.WaitForExitAsync(TestContext.Current.CancellationToken);
        var swap = await _supervisor.SwapAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3), default, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.Hung, swap.Code);
        Assert.Contains($"({ChildExitCodes.Hung}): ", swap.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASwapChangesTheModelWithoutAnotherProcessAndABrokenOneLeavesTheOldServing()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        var process = _supervisor.ProcessId;
        var broken = await _supervisor.SwapAsync(TestChildren.Session(_folder, HostileModels.Garbage, "garbage", 3), default, TestContext.Current.CancellationToken);
        Assert.Null(broken.Loaded);
        Assert.Equal("model.load", broken.Code);
        var swap = await _supervisor.SwapAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3), default, TestContext.Current.CancellationToken);
        Assert.Equal("other", swap.Loaded?.Contender.Variant);
        _windows.Clear();
        await Eventually.TrueAsync(() => _windows.Any(window => window.Session == 2 && window.Frames.Classified > 0), "the session of the second swap serves");
        Assert.Equal(process, _supervisor.ProcessId);
        Assert.Empty(_exits);
    }

    [Fact]
    public async Task WindowsCountWhatWasClassifiedAndTheLoopAllocatesNothing()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => _windows.Count >= 4, "windows come");
        var window = _windows.Last();
        Assert.InRange(window.Frames.Classified, 1, 1000);
        // A frame at a window's end may be counted as classified in one window and by its class in the next.
        var classified = _windows.Sum(one => one.Frames.Classified);
        Assert.InRange(_windows.Sum(one => one.Classes.Values.Sum()), classified - 1, classified + 1);
        Assert.InRange(_windows.Sum(one => one.Confidence.Sum()), classified - 1, classified + 1);
        Assert.Equal(0, window.AllocatedByteCount);
        Assert.All(window.Classes.Keys, index => Assert.InRange(index, 0, 2));
    }

    [Fact]
    public async Task WindowsGetAnotherLengthAlsoInTheNextWorker()
    {
        await Start(OnnxModels.BrightestChannel());
        _supervisor.SetWindow(TimeSpan.FromSeconds(1.5));
        await IsLongAsync();
        using (var worker = Process.GetProcessById(_supervisor.ProcessId!.Value)) worker.Kill();
        await Eventually.TrueAsync(() => !_exits.IsEmpty, "the end is told");
        await IsLongAsync();

        async Task IsLongAsync()
        {
            _windows.Clear();
            await Eventually.TrueAsync(() => _windows.Count >= 3, "windows come");
            Assert.InRange(_windows.Last().WindowSeconds, 1.4, 3);
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
        Directory.Delete(Images, recursive: true);
        await FilmAsync("color=blue:size=64x48");
        await Eventually.TrueAsync(() => _results.Count(result => result.Scores[0].Index == 2) > 2, "the new folder is read");
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
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        using (var stop = Process.Start("kill", ["-STOP", $"{_supervisor.ProcessId}"])) await stop.WaitForExitAsync(TestContext.Current.CancellationToken);
        var (snapshot, problem) = await SnapshotAsync(TimeSpan.FromMinutes(1));
        Assert.Null(snapshot);
        Assert.Contains("The worker ended", problem, StringComparison.Ordinal);
    }

    private Task<(FrameSnapshot? Snapshot, string? Problem)> SnapshotAsync(TimeSpan patience) => _supervisor.SnapshotAsync(patience, TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        var process = _supervisor.ProcessId;
        await _running;
        Assert.False(process is { } id && Directory.Exists($"/proc/{id}"), "the worker outlived its supervisor");
        _stop.Dispose();
        _folder.Dispose();
    }

    private string Images => _folder.Sub("images");

    private async Task Start(byte[] model, string film = "testsrc=size=64x48:rate=4")
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the images, is not installed.");
        await FilmAsync(film);
        var assignment = new WorkerAssignment
        {
            Load = new Load
            {
                Session = TestChildren.Session(_folder, model, classes: 3),
                Camera = new CameraSpec { Kind = CameraKind.Folder, Source = Images, FramesPerSecond = 20 },
                Loop = new LoopSpec { WindowMilliseconds = 500, TopCount = 3 },
            },
            Read = [_folder.Sub("release-garbage"), _folder.Sub("release-other")],
        };
        _running = _supervisor.RunAsync(assignment, _stop.Token);
    }

    private async Task FilmAsync(string film)
    {
        using var ffmpeg = Process.Start("/usr/bin/ffmpeg", ["-v", "error", "-f", "lavfi", "-i", film, "-frames:v", "4", Path.Combine(Images, "%d.jpg")]);
        await ffmpeg.WaitForExitAsync(TestContext.Current.CancellationToken);
    }
}
