using Dunlin.Agent.Serving;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Tests.Serving;

public sealed class DriftWatchTests
{
    private const double Promised = 10;
    private const double Slow = 20;
    private static readonly SustainedOptions Options = new() { WindowCount = 3, RestWindowCount = 0 };
    private readonly DriftWatch _watch = new(Options);

    [Fact]
    public void ADriftAsksForOneRace()
    {
        _watch.Adopt(Promised, isSame: false);
        Assert.Equal([false, false, true, false], Observe(4, Slow, isTrial: false));
    }

    [Fact]
    public void NoDriftAsksForARaceDuringATrialAndOneThatGoesOnAfterItDoes()
    {
        _watch.Adopt(Promised, isSame: false);
        Assert.DoesNotContain(true, Observe(20, Slow, isTrial: true));
        Assert.Equal([false, false, true], Observe(3, Slow, isTrial: false));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void ARaceThatChangedNothingMakesTheDriftTheNormal(bool isSame, bool asksAgain)
    {
        _watch.Adopt(Promised, isSame: false);
        Observe(3, Slow, isTrial: false);
        _watch.Adopt(Promised, isSame);
        Assert.Equal(asksAgain, Observe(3, Slow, isTrial: false).Contains(true));
    }

    private List<bool> Observe(int windows, double p95Milliseconds, bool isTrial) =>
        [.. Enumerable.Range(0, windows).Select(_ => _watch.Observe(p95Milliseconds, isTrial))];
}
