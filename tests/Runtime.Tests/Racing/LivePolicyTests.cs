using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class LivePolicyTests
{
    private static readonly SustainedOptions Sustained = new() { WindowCount = 3, RestWindowCount = 5 };
    private static readonly DownshiftOptions Shift = new() { DownAfter = 3, UpAfter = 5 };
    private static readonly IReadOnlyList<ContenderId> Ladder = [Garments.Id("large"), Garments.Id("small")];
    private static readonly LiveWindow Good = new(0, false, false);
    private static readonly LiveWindow Late = new(0.5, false, false);

    [Fact]
    public void ALastingChangeAsksForOneRace()
    {
        var monitor = new SustainedMonitor(Sustained);
        monitor.Reset(2);
        Assert.DoesNotContain(true, Enumerable.Range(0, 10).Select(_ => monitor.Observe(2.1)));
        Assert.Equal([false, false, true, false, false], Enumerable.Range(0, 5).Select(_ => monitor.Observe(3)));
    }

    [Fact]
    public void AFasterBoardAsksForOneToo()
    {
        var monitor = new SustainedMonitor(Sustained with { RestWindowCount = 0 });
        monitor.Reset(2);
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => monitor.Observe(1)));
    }

    [Fact]
    public void SpikesAndHoveringAskForNone()
    {
        var monitor = new SustainedMonitor(Sustained with { RestWindowCount = 0 });
        monitor.Reset(2);
        Assert.DoesNotContain(true, Enumerable.Range(0, 100).Select(i => monitor.Observe(i % 3 == 0 ? 2 : 4)));
        Assert.DoesNotContain(true, Enumerable.Range(0, 100).Select(_ => monitor.Observe(2.5)));
        monitor.Reset(null);
        Assert.DoesNotContain(true, Enumerable.Range(0, 100).Select(_ => monitor.Observe(9)));
    }

    [Fact]
    public void LastingMissesGoDownAndLastingPeaceGoesUpAgain()
    {
        var shift = new Downshift(Ladder, Shift);
        Assert.Equal([false, false, true], Enumerable.Range(0, 3).Select(_ => shift.Observe(Late)));
        Assert.Equal(("small", "large"), (shift.Current.Variant, shift.Wanted.Variant));
        Assert.Equal([false, false, false, false, true], Enumerable.Range(0, 5).Select(_ => shift.Observe(Good)));
        Assert.Equal("large", shift.Current.Variant);
    }

    [Fact]
    public void ThrottlingAndALowBatteryGoDownAndTheLastRungIsTheLast()
    {
        var shift = new Downshift(Ladder, Shift);
        foreach (var window in new LiveWindow[] { new(0, true, false), new(0, false, true), new(0, true, true) }) shift.Observe(window);
        Assert.Equal("small", shift.Current.Variant);
        Assert.DoesNotContain(true, Enumerable.Range(0, 50).Select(_ => shift.Observe(Late)));
    }

    [Fact]
    public void ReturnsThatDoNotLastBecomeRare()
    {
        // The large one is late whenever it runs, the small one never.
        var shift = new Downshift(Ladder, Shift);
        var changes = Enumerable.Range(0, 1000).Count(_ => shift.Observe(shift.Current.Variant == "large" ? Late : Good));
        Assert.InRange(changes, 5, 35);
    }
}
