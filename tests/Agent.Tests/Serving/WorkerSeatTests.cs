using System.Collections.Concurrent;
using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Children;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Agent.Tests.Serving;

/// <summary>The real worker process, with a camera that shows nothing.</summary>
public sealed class WorkerSeatTests : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentQueue<string> _happened = new();
    private readonly WorkerSupervisor _supervisor;
    private readonly WorkerSeat _seat;

    public WorkerSeatTests()
    {
        var host = TestChildren.Host(_folder);
        var events = new WorkerEvents
        {
            Loaded = loaded => _happened.Enqueue(loaded.Contender.Variant),
            Exited = exit => _happened.Enqueue(exit.Exit.Code),
        };
        _supervisor = new WorkerSupervisor(host, new WorkerLimits { FirstRestartDelay = TimeSpan.FromMilliseconds(20) }, events, NullLogger<WorkerSupervisor>.Instance, TimeProvider.System);
        var camera = new CameraFeed(new CameraOptions { Source = _folder.Sub("frames") }, host, NullLoggerFactory.Instance, TimeProvider.System);
        _seat = new WorkerSeat(_supervisor, camera, WorkerSeat.LoopOf(new ResultOptions(), new RaceOptions(), new TelemetryOptions()), _folder.Path, renew: null, _stop.Token);
    }

    [Fact]
    public async Task AWorkerThatIsKilledWhileItLoadsAnotherSessionIsFollowedByOneWithThatSession()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        Assert.Null(await _seat.SeatAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(), "old", 3), default, cancellationToken));
        await Eventually.TrueAsync(() => _happened.Contains("old"), "the old session serves");
        using var worker = Process.GetProcessById(_supervisor.ProcessId!.Value);
        // It cannot answer before it is killed.
        ProcessTable.Signal(worker.Id, "STOP");
        var seating = _seat.SeatAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(sharpness: 5), "new", 3), default, cancellationToken);
        worker.Kill();
        Assert.Null(await seating);
        // Told before: a trial that begins now must not take this end for one of the new session.
        Assert.Equal(["old", ChildExitCodes.Killed], _happened);
        await Eventually.TrueAsync(() => _happened.Last() == "new", "the new session serves");
    }

    [Fact]
    public async Task ASessionThatDoesNotLoadIsRefusedWithItsCode()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        Assert.Null(await _seat.SeatAsync(TestChildren.Session(_folder, OnnxModels.BrightestChannel(), "old", 3), default, cancellationToken));
        await Eventually.TrueAsync(() => _happened.Contains("old"), "the old session serves");
        var refused = await _seat.SeatAsync(TestChildren.Session(_folder, HostileModels.Garbage, "garbage", 3), default, cancellationToken);
        Assert.Equal("model.load", refused?.Code);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _seat.DisposeAsync();
        _stop.Dispose();
        _folder.Dispose();
    }
}
