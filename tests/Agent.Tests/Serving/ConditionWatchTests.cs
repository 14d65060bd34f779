using Dunlin.Agent.Serving;
using Dunlin.Contracts.Race;
using Dunlin.TestKit.Samples;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Serving;

public sealed class ConditionWatchTests
{
    private static readonly RaceConditions Before = SampleMessages.Race().Conditions;
    private static readonly RaceConditions Saving = Before with { CpuGovernor = "powersave" };
    private static readonly RaceConditions Halved = Before with { UsableCores = 1 };

    private readonly FakeTimeProvider _time = new();
    private readonly ConditionWatch _watch;

    public ConditionWatchTests() => _watch = new ConditionWatch(_time);

    [Fact]
    public void WithoutAVerdictNothingIsLookedAt() => Assert.Equal(Timeout.InfiniteTimeSpan, _watch.Remaining);

    [Fact]
    public void AChangeThatHoldsForTwoLooksIsTold()
    {
        _watch.Adopt(Before);
        Assert.Equal([null, null, null, "governor performance → governor powersave"], Look(Before, Before, Saving, Saving));
    }

    [Fact]
    public void WhatFlapsFromLookToLookIsNot()
    {
        _watch.Adopt(Before);
        Assert.All(Look(Saving, Before, Saving, Halved, Saving, Before), Assert.Null);
    }

    [Fact]
    public void AMomentInWhichTheBoardCannotBeRacedIsNoLook()
    {
        _watch.Adopt(Before);
        Assert.All(Look(Saving, null, null), Assert.Null);
        Assert.NotNull(Assert.Single(Look(Saving)));
    }

    [Fact]
    public void OneRaceAnHourIsEnough()
    {
        _watch.Adopt(Before);
        Assert.NotNull(Look(Saving, Saving)[^1]);
        _watch.Adopt(Saving);
        Assert.All(Look([.. Enumerable.Repeat(Halved, 11)]), Assert.Null);
        Assert.Equal(["governor powersave → governor performance, usable cores 2 → usable cores 1"], Look(Halved));
    }

    /// <summary>Each when it is due.</summary>
    private List<string?> Look(params ReadOnlySpan<RaceConditions?> seen)
    {
        List<string?> told = [];
        foreach (var conditions in seen)
        {
            _time.Advance(_watch.Remaining);
            told.Add(_watch.Look(conditions));
        }

        return told;
    }
}
