using Dunlin.Agent.Serving;
using Dunlin.Agent.Tests.Updates;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Serving;

public sealed class CameraProgramWatchTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string?> _told = [];
    private readonly CameraProgramWatch _watch;
    private int _reconnects;

    public CameraProgramWatchTests() => _watch = new CameraProgramWatch(_told.Add, () => _reconnects++, _time);

    private static FrameWindow Window => SampleWindows.Good();

    [Fact]
    public void AProgramThatIsBackBeforeItIsMissedIsNoProblemAnyMoreAndAReconnect()
    {
        See(CameraStates.Starting);
        See(CameraStates.Ok);
        _watch.Ended("It ended.");
        // Of before, at least in part.
        _watch.Observe(Window);
        Assert.Equal(["It ended."], _told);
        _time.Advance(TimeSpan.FromSeconds(Window.WindowSeconds));
        _watch.Observe(Window with { Frames = Window.Frames with { Captured = 0 } });
        Assert.Equal(["It ended."], _told);
        _watch.Observe(Window);
        _watch.Observe(Window);
        Assert.Equal(["It ended.", null], _told);
        Assert.Equal(1, _reconnects);
    }

    [Fact]
    public void AProgramThatTheWorkerHasMissedIsItsToCount()
    {
        See(CameraStates.Ok);
        _watch.Ended("It ended.");
        See(CameraStates.Stalled);
        See(CameraStates.Ok);
        // One that hangs is missed first, and then ended.
        See(CameraStates.Stalled);
        _watch.Ended("It hung.");
        See(CameraStates.Ok);
        Assert.Equal(["It ended.", null, "It hung.", null], _told);
        Assert.Equal(0, _reconnects);
    }

    [Fact]
    public void WhileTheWorkerMissesFramesItStaysAProblem()
    {
        See(CameraStates.Ok);
        _watch.Ended("It ended.");
        See(CameraStates.Stalled);
        _time.Advance(TimeSpan.FromMinutes(1));
        _watch.Observe(Window with { Camera = SampleMessages.Camera with { State = CameraStates.Stalled } });
        Assert.Equal(["It ended."], _told);
    }

    private void See(string state) => _watch.Observe(SampleMessages.Camera with { State = state });
}
