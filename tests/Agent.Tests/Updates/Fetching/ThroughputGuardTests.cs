using Dunlin.Agent.Updates.Fetching;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class ThroughputGuardTests
{
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void OneKibibyteASecondIsEnoughForEver()
    {
        using var guard = new ThroughputGuard(new FetchLimits(), _time);
        for (var second = 0; second < 1000; second++)
        {
            guard.Count(1024);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.False(guard.IsTooSlow);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(0)]
    public void LessIsNoticedWithinTheWindowAndASixth(int bytesPerSecond)
    {
        using var guard = new ThroughputGuard(new FetchLimits(), _time);
        var seconds = 0;
        for (; !guard.IsTooSlow && seconds < 1000; seconds++)
        {
            guard.Count(bytesPerSecond);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.InRange(seconds, 60, 70);
    }

    [Fact]
    public void AFastBeginningDoesNotBuyASlowEnd()
    {
        using var guard = new ThroughputGuard(new FetchLimits(), _time);
        guard.Count(10_000_000);
        _time.Advance(TimeSpan.FromSeconds(60));
        Assert.False(guard.IsTooSlow);
        _time.Advance(TimeSpan.FromSeconds(10));
        Assert.True(guard.IsTooSlow);
    }
}
