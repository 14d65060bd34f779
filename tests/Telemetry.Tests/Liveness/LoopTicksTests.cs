using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Liveness;

public sealed class LoopTicksTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void NothingHasStartedUntilEveryLoopHasTurnedOnce()
    {
        var loops = new LoopTicks(_time);
        var link = loops.Register("link", TimeSpan.FromSeconds(5));
        var serving = loops.Register("serving", TimeSpan.FromSeconds(5));

        link.Tick();
        Assert.False(loops.AllStarted);
        serving.Tick();
        Assert.True(loops.AllStarted);
    }

    [Fact]
    public void ALoopThatStopsTurningIsNamed()
    {
        var loops = new LoopTicks(_time);
        var link = loops.Register("link", TimeSpan.FromSeconds(5));
        var serving = loops.Register("serving", TimeSpan.FromSeconds(5));
        link.Tick();
        serving.Tick();

        _time.Advance(TimeSpan.FromSeconds(4));
        link.Tick();
        _time.Advance(TimeSpan.FromSeconds(4));

        Assert.Equal(["serving"], loops.Hanging);
    }

    [Fact]
    public void ALoopThatNeverTurnedHangsAfterItsInterval()
    {
        var loops = new LoopTicks(_time);
        loops.Register("sensors", TimeSpan.FromSeconds(5));
        Assert.Empty(loops.Hanging);
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(["sensors"], loops.Hanging);
    }

    [Fact]
    public void ALoopThatEndedAsItShouldDoesNotHang()
    {
        var loops = new LoopTicks(_time);
        var loop = loops.Register("race", TimeSpan.FromSeconds(5));
        loop.Tick();
        loop.Retire();
        _time.Advance(TimeSpan.FromHours(1));
        Assert.Empty(loops.Hanging);
        Assert.True(loops.AllStarted);
    }
}
