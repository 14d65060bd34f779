using System.Collections.Concurrent;
using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Workers;

/// <summary>The real worker process on a folder of real images.</summary>
public sealed class WorkerSupervisorTests : IAsyncDisposable
{
    private readonly Folder _folder = new();
    private readonly ConcurrentQueue<FrameResult> _results = new();
    private readonly ConcurrentQueue<WorkerExit> _exits = new();
    private readonly ConcurrentQueue<FrameWindow> _windows = new();
    private readonly ConcurrentQueue<ChildError> _errors = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly WorkerSupervisor _supervisor;
    private Task _running = Task.CompletedTask;

    public WorkerSupervisorTests() => _supervisor = new WorkerSupervisor(
        TestChildren.Host(_folder),
        new WorkerLimits { HeartbeatTimeout = TimeSpan.FromSeconds(3), FirstRestartDelay = TimeSpan.FromMilliseconds(20) },
        new WorkerEvents { Result = (_, result) => _results.Enqueue(result), Exited = _exits.Enqueue, Window = (_, window) => _windows.Enqueue(window), Error = _errors.Enqueue },
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
        Assert.Equal(ChildExitCodes.OutOfMemory, exit.Exit.Code);
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
    public async Task ASwapChangesTheModelWithoutAnotherProcessAndABrokenOneLeavesTheOldServing()
    {
        await Start(OnnxModels.BrightestChannel());
        await Eventually.TrueAsync(() => !_results.IsEmpty, "the worker classifies");
        var process = _supervisor.ProcessId;
        var broken = await _supervisor.SwapAsync(TestChildren.Session(_folder, HostileModels.Garbage, "garbage", 3), TestContext.Current.CancellationToken);
        Assert.Null(broken.Loaded);
        Assert.Equal("model.load", broken.Code);
        var swap = await _supervisor.SwapAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "other", 3), TestContext.Current.CancellationToken);
        Assert.Equal("other", swap.Loaded?.Contender.Variant);
        _windows.Clear();
        await Eventually.TrueAsync(() => _windows.Any(window => window.Contender.Variant == "other" && window.Frames.Classified > 0), "the other model serves");
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
        Assert.Equal(window.Frames.Classified, window.Classes.Values.Sum());
        Assert.Equal(window.Frames.Classified, window.Confidence.Sum());
        Assert.Equal(0, window.AllocatedByteCount);
        Assert.All(window.Classes.Keys, index => Assert.InRange(index, 0, 2));
    }

    [Fact]
    public async Task AModelThatDoesNotLoadIsToldAndTriedAgainWithBackOff()
    {
        await Start(HostileModels.Garbage);
        await Eventually.TrueAsync(() => _exits.Count >= 2, "two workers ended");
        Assert.All(_exits, exit => Assert.False(exit.Served));
        Assert.All(_exits, exit => Assert.Equal("model.load", exit.LoadError?.Code));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        var process = _supervisor.ProcessId;
        await _running;
        Assert.False(process is { } id && Directory.Exists($"/proc/{id}"), "the worker outlived its supervisor");
        _stop.Dispose();
        _folder.Dispose();
    }

    private async Task Start(byte[] model)
    {
        if (!File.Exists("/usr/bin/ffmpeg")) Assert.Skip("ffmpeg, which makes the images, is not installed.");
        var images = _folder.Sub("images");
        using (var ffmpeg = Process.Start("/usr/bin/ffmpeg", ["-v", "error", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=4", "-frames:v", "4", Path.Combine(images, "%d.jpg")]))
            await ffmpeg.WaitForExitAsync(TestContext.Current.CancellationToken);
        var assignment = new WorkerAssignment
        {
            Load = new Load
            {
                Session = TestChildren.Session(_folder, model, classes: 3),
                Camera = new CameraSpec { Kind = CameraKind.Folder, Source = images, FramesPerSecond = 20 },
                Loop = new LoopSpec { WindowMilliseconds = 500, TopCount = 3 },
            },
            Read = [_folder.Path],
        };
        _running = _supervisor.RunAsync(assignment, _stop.Token);
    }
}
