using Dunlin.Agent.Updates;
using Dunlin.TestKit;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Updates;

public sealed class TrustedClockTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 24, 12, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(0, false, true)]
    [InlineData(5, true, false)]
    [InlineData(-1, false, false)]
    [InlineData(-1, true, true)]
    public void TheKernelSaysWhetherItsClockIsSynchronizedAndWhereItMayNotTimesyncdDoes(int kernelState, bool isMarked, bool expected) =>
        Assert.Equal(expected, TrustedClock.IsSynchronized(kernelState, isMarked ? RepositoryFolder.Root + "/README.md" : "/run/none"));

    [Fact]
    public void SignedTimeStaysAtTheEndOfAllTime()
    {
        var time = new FakeTimeProvider(Noon);
        var clock = new TrustedClock(time, Noon, () => false);
        clock.Learn(DateTimeOffset.MaxValue - TimeSpan.FromSeconds(1));
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(DateTimeOffset.MaxValue, clock.Now);
        Assert.Equal(DateTimeOffset.MaxValue, clock.ForTls);
        clock.Learn(DateTimeOffset.MaxValue);
        clock.Reset(Noon.AddDays(1));
        Assert.Equal(Noon.AddDays(1), clock.Now);
    }
}
