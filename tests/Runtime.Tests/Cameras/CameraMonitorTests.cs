using Dunlin.Runtime.Cameras;
using Dunlin.TestKit.Logs;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Runtime.Tests.Cameras;

public sealed class CameraMonitorTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly Lines<CameraMonitor> _log = new();

    [Fact]
    public void TheActualRateIsThatOfTheLastSecondsAndSinksToZeroWhenFramesStop()
    {
        var monitor = new CameraMonitor("belt", 30, _time, _log);
        Assert.Null(monitor.Health.ActualFramesPerSecond);
        for (var frame = 0; frame < 1000; frame++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(40));
            monitor.FrameArrived(_time.Nanoseconds());
        }

        Assert.Equal(25, monitor.Health.ActualFramesPerSecond!.Value, 0.01);
        _time.Advance(TimeSpan.FromSeconds(2));
        Assert.InRange(monitor.Health.ActualFramesPerSecond!.Value, 10, 20);
        _time.Advance(TimeSpan.FromSeconds(4));
        Assert.Equal(0, monitor.Health.ActualFramesPerSecond);
    }

    [Fact]
    public void EachReasonIsLoggedOncePerChange()
    {
        var monitor = new CameraMonitor("belt", 30, _time, _log);
        for (var round = 0; round < 3; round++)
        {
            for (var attempt = 0; attempt < 5; attempt++) monitor.Lost("absent", "It is not there.");
            for (var frame = 0; frame < 5; frame++) monitor.FrameArrived(_time.Nanoseconds());
            for (var frame = 0; frame < 5; frame++) monitor.FrameCorrupt("Bits are bad.");
        }

        Assert.Equal(9, _log.All.Count);
        var health = monitor.Health;
        Assert.Equal(("ok", null, 2, 15, 0), (health.State, health.Detail, health.ReconnectCount, health.CorruptCount, health.StallCount));
    }

    [Fact]
    public void TheReopenDelayGrowsIsJitteredAndCapped()
    {
        var delay = new ReopenDelay(new Random(1));
        for (var failure = 0; failure < 200; failure++)
        {
            var whole = Math.Min(0.25 * Math.Pow(2, failure), 10);
            Assert.InRange(delay.Next().TotalSeconds, whole / 2, whole);
        }

        delay.Reset();
        Assert.InRange(delay.Next().TotalSeconds, 0.125, 0.25);
    }
}
