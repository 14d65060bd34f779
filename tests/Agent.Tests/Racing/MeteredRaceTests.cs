using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.TestKit;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Agent.Tests.Racing;

/// <summary>Real heat processes; the meter is the test's.</summary>
public sealed class MeteredRaceTests : IDisposable
{
    private const double Tie = 0.05;

    private readonly TemporaryFolder _folder = new();
    private readonly List<(long From, long To)> _asked = [];

    [Fact]
    public async Task ContendersRunAloneInBlocksForthAndBackAndTheLeastJoulesWinAgainstTheLeastMilliseconds()
    {
        // By block: fast, frugal, frugal, fast.
        var (heat, verdict) = Raced(incumbent: null);
        var weighed = await WeighAsync(heat, verdict, [80, 1, 1, 80]);
        Assert.Equal(4, _asked.Count);
        Assert.All(_asked, block => Assert.Equal(1, TimeProvider.System.GetElapsedTime(block.From, block.To).TotalSeconds, 3));
        Assert.All(_asked.Zip(_asked.Skip(1)), pair => Assert.True(pair.First.To <= pair.Second.From, "blocks do not overlap"));
        Assert.Equal("frugal", weighed.Winner!.Variant);
        var (fast, frugal, blocked) = (weighed.Contenders[0], weighed.Contenders[1], weighed.Contenders[2]);
        Assert.Equal((ContenderOutcome.Lost, "more-energy"), (fast.Outcome, fast.ReasonCode));
        Assert.Equal((ContenderOutcome.Won, "won"), (frugal.Outcome, frugal.ReasonCode));
        Assert.Equal((EnergyMethod.Measured, "ina219"), (frugal.Energy!.Method, frugal.Energy.Source));
        Assert.InRange(frugal.Energy.Joules, 1e-9, 1);
        Assert.Contains("mJ per inference measured", weighed.Reason, StringComparison.Ordinal);
        Assert.Equal(verdict.Contenders[2], blocked);
    }

    [Fact]
    public async Task WhatMissesTheDeadlineIsNotWeighed()
    {
        var (heat, verdict) = Raced(incumbent: null);
        var late = verdict.Contenders[1] with { ReasonCode = RaceRules.DeadlineMissed };
        var weighed = await WeighAsync(heat, verdict with { Contenders = [verdict.Contenders[0], late, verdict.Contenders[2]] }, [80, 80]);
        Assert.Equal("fast", weighed.Winner!.Variant);
        Assert.Equal(late, weighed.Contenders[1]);
    }

    [Fact]
    public void WhatTheSiliconDerivesIsNotCalledMeasured()
    {
        var (heat, verdict) = Raced(incumbent: null);
        var decided = MeteredRace.Decide(heat, verdict, heat.Sessions.ToDictionary(s => s.Contender, _ => new Weighed(1, 10, EnergyMethod.Derived, "rapl")));
        Assert.Equal(EnergyMethod.Derived, decided.Contenders[0].Energy!.Method);
        Assert.Contains("mJ per inference derived", decided.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AMeterThatFallsSilentLeavesTheVerdictAsItWas()
    {
        var (heat, verdict) = Raced(incumbent: null);
        Assert.Same(verdict, await WeighAsync(heat, verdict, [null]));
    }

    [Fact]
    public async Task AContenderThatWouldNotRunAloneLeavesTheVerdictAsItWas()
    {
        var (heat, verdict) = Raced(incumbent: null);
        File.Delete(heat.Sessions[0].ModelPath);
        Assert.Same(verdict, await WeighAsync(heat, verdict, [1, 1, 1, 1]));
        Assert.Empty(_asked);
    }

    [Theory]
    [InlineData(Objective.Energy, null, 8, "frugal")]
    [InlineData(Objective.Product, null, 8, "fast")]
    [InlineData(Objective.Product, null, 11, "frugal")]
    [InlineData(Objective.Energy, "fast", 1.04, "fast")]
    [InlineData(Objective.Energy, "fast", 1.06, "frugal")]
    [InlineData(Objective.Energy, null, 1.04, "frugal")]
    public void TheObjectiveDecidesAndAnIncumbentLosesByMoreThanTheMarginOnly(Objective objective, string? incumbent, double fastJoules, string winner)
    {
        var (heat, verdict) = Raced(incumbent);
        var totals = new Dictionary<ContenderId, Weighed>
        {
            [heat.Sessions[0].Contender] = new(fastJoules * 500, 500, EnergyMethod.Measured, "ina219"),
            [heat.Sessions[1].Contender] = new(70, 70, EnergyMethod.Measured, "ina219"),
        };
        var decided = MeteredRace.Decide(heat with { Objective = objective }, verdict, totals);
        Assert.Equal(winner, decided.Winner!.Variant);
        Assert.Equal(winner, decided.Contenders.Single(contender => contender.Outcome == ContenderOutcome.Won).Contender.Variant);
        Assert.Equal(fastJoules, decided.Contenders[0].Energy!.Joules, 9);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>The joules are those of each block as it ends; null: the meter says nothing.</summary>
    private async Task<HeatVerdict> WeighAsync(Heat heat, HeatVerdict verdict, double?[] joules)
    {
        var probe = new EnergyProbe
        {
            SamplesPerSecond = 50,
            Metered = (from, to) =>
            {
                _asked.Add((from, to));
                return joules[_asked.Count - 1] is { } value ? new MeteredJoules(value, EnergyMethod.Measured, "ina219") : null;
            },
        };
        var heats = new HeatRunner(TestChildren.Host(_folder), new Lines<HeatRunner>(), TimeProvider.System);
        return await new MeteredRace(heats, probe, TimeProvider.System).WeighAsync(heat, verdict, TestContext.Current.CancellationToken);
    }

    private (Heat Heat, HeatVerdict Verdict) Raced(string? incumbent)
    {
        var sessions = new[] { "fast", "frugal" }.Select(name => TestChildren.Session(_folder, OnnxModels.Tiny(), name)).ToList();
        var heat = new Heat { Sessions = sessions, Objective = Objective.Energy, BudgetMilliseconds = 5000, Alpha = 0.01, TieMargin = Tie, Incumbent = sessions.FirstOrDefault(s => s.Contender.Variant == incumbent)?.Contender };
        ContenderVerdict Of(string variant, double? milliseconds) => new()
        {
            Contender = new ContenderId(variant, "CPUExecutionProvider", 1),
            Outcome = milliseconds is null ? ContenderOutcome.Failed : variant == "fast" ? ContenderOutcome.Won : ContenderOutcome.Lost,
            ReasonCode = "said", Reason = "As the heat said.", Top1 = 0.9,
            LatencyMilliseconds = milliseconds is { } p ? new Percentiles(p, p, p, p) : null,
        };
        return (heat, new HeatVerdict { Contenders = [Of("fast", 1), Of("frugal", 10), Of("broken", null)], Winner = sessions[0].Contender, Reason = "As the heat said." });
    }
}
