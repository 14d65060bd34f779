using Dunlin.Agent.Serving;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Serving;

public sealed class RetryTests
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void TheWaitGoesOnWhereItWasBrokenOff()
    {
        var retry = new Retry(_time);
        retry.Wait(Interval);
        for (var second = 0; second < 10; second++)
        {
            Assert.Equal(Interval - TimeSpan.FromSeconds(second), retry.Remaining);
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(TimeSpan.Zero, retry.Remaining);
    }

    [Fact]
    public void WhatIsNotWantedIsWaitedForWithoutEnd()
    {
        var retry = new Retry(_time);
        Assert.Equal(Timeout.InfiniteTimeSpan, retry.Remaining);
        retry.Wait(Interval);
        retry.Stop();
        Assert.Equal(Timeout.InfiniteTimeSpan, retry.Remaining);
    }
}
