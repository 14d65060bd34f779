using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Tests.Children;
using Dunlin.Agent.Tests.Energy;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Power;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Onnx;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Agent.Tests.Racing;

/// <summary>Real heat processes; the meter is the test's.</summary>
public sealed class MeteredRaceTests : IDisposable
{
    private const double Tie = 0.05;
    private static readonly RunSpan Ran = new(5_000_000_000, 7_000_000_000);

    private readonly TemporaryFolder _folder = new();
    private readonly List<(long From, long To)> _asked = [];

    [Fact]
    public async Task ContendersRunAloneInBlocksForthAndBackAndTheLeastJoulesWinAgainstTheLeastMilliseconds()
    {
        // By block: fast, frugal, frugal, fast.
        var (heat, verdict) = Raced(incumbent: null);
        var weighed = await WeighAsync(heat, verdict, [80, 1, 1, 80]);
        Assert.Equal(4, _asked.Count);
        // 50 samples at 45 per second, and a tenth for gaps; longer only where the machine stood still in a block.
        var seconds = _asked.Select(block => TimeProvider.System.GetElapsedTime(block.From, block.To).TotalSeconds).ToList();
        Assert.All(seconds, length => Assert.InRange(length, 50 / 45.0 / 0.9 - 0.001, double.MaxValue));
        Assert.InRange(seconds.Min(), 0, 3);
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
    public async Task WeighedIsWhenTheRunsWereAndNeitherWhatOvershootsTheBudgetNorTheEndOfTheProcessIsLeftToGuessing()
    {
        var (heat, verdict) = Raced(incumbent: null, "fast");
        await WeighAsync(heat, verdict, [1, 1], host: Saying(verdict, runCount: 100));
        Assert.Equal([(Ran.BeginNanoseconds, Ran.EndNanoseconds), (Ran.BeginNanoseconds, Ran.EndNanoseconds)], _asked);
    }

    [Fact]
    public async Task RunsThatEndBeforeTheyBeginAreNotWeighed()
    {
        var (heat, verdict) = Raced(incumbent: null, "fast");
        var backwards = new RunSpan(Ran.EndNanoseconds, Ran.BeginNanoseconds);
        Assert.Same(verdict, await WeighAsync(heat, verdict, [1, 1], host: Saying(verdict, runCount: 100, ran: backwards)));
        Assert.Empty(_asked);
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
        var decided = MeteredRace.Decide(heat, verdict, heat.Sessions.ToDictionary(s => s.Contender, _ => new Weighed(1, 10, 10, EnergyMethod.Derived, "rapl")));
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

    [Fact]
    public async Task ABlockWithGapsIsRepeatedAndASmallGapIsFilledByTheRest()
    {
        var (heat, verdict) = Raced(incumbent: null, "fast");
        var weighed = await WeighAsync(heat, verdict, [5, 90, 50], [0.89, 0.9, 1], host: Saying(verdict, runCount: 100));
        Assert.Equal(3, _asked.Count);
        // Two blocks of 100 runs, 100 J and 50 J.
        Assert.Equal(0.75, weighed.Contenders[0].Energy!.Joules, 9);
    }

    [Fact]
    public async Task OneWhoseBlocksAreFullOfGapsHasNoJoulesAndDoesNotWin()
    {
        // By block: fast twice in vain, frugal, spare, spare, frugal.
        var (heat, verdict) = Raced(incumbent: null, "fast", "frugal", "spare");
        var weighed = await WeighAsync(heat, verdict, [1, 1, 5, 90, 90, 5], [0.1, 0.6, 1, 1, 1, 1]);
        Assert.Equal(6, _asked.Count);
        Assert.Equal("frugal", weighed.Winner!.Variant);
        var fast = weighed.Contenders[0];
        Assert.Equal((ContenderOutcome.Lost, "not-weighed"), (fast.Outcome, fast.ReasonCode));
        Assert.Null(fast.Energy);
        Assert.Contains("not weighed, since the meter covered 60 % of its block", fast.Reason, StringComparison.Ordinal);
        Assert.Single(weighed.Contenders, contender => contender.Outcome == ContenderOutcome.Won);
    }

    [Fact]
    public async Task WhereOnlyOneIsWeighedTheHeatsWinnerStaysAndTheReasonSaysWhatIsMissing()
    {
        // By block: fast twice in vain, frugal, frugal.
        var (heat, verdict) = Raced(incumbent: null);
        var weighed = await WeighAsync(heat, verdict, [1, 1, 1, 1], [0.5, 0.5, 1, 1]);
        Assert.Equal("fast", weighed.Winner!.Variant);
        Assert.Equal(verdict.Contenders[1], weighed.Contenders[1]);
        Assert.Equal(ContenderOutcome.Won, weighed.Contenders[0].Outcome);
        Assert.StartsWith("As the heat said; not weighed, since", weighed.Contenders[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task BlocksUnderThrottlingAreNotCounted()
    {
        var (heat, verdict) = Raced(incumbent: null, "fast");
        var weighed = await WeighAsync(heat, verdict, [1, 1], host: Saying(verdict, runCount: 900, throttledRunCount: 20));
        Assert.Equal(2, _asked.Count);
        Assert.Null(weighed.Contenders[0].Energy);
        Assert.Contains("the board throttled in its block", weighed.Contenders[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheProbeTellsHowMuchOfABlockTheMeterSaw()
    {
        var time = new FakeTimeProvider();
        using var meter = new SteadyMeter(time, 2.5);
        using var sampler = meter.Sampler();
        var probe = EnergyProbe.Of(new PowerOptions(), sampler);
        var from = time.GetTimestamp();
        meter.Fails = () => meter.ReadCount > 60;
        for (var i = 0; i < 100; i++)
        {
            time.Advance(TimeSpan.FromMilliseconds(20));
            _ = sampler.Joules(from, time.GetTimestamp());
        }

        var metered = probe.Metered!(from, time.GetTimestamp())!.Value;
        Assert.Equal(0.59, metered.Coverage, 3);
        Assert.Equal(2 * 0.59 * 2.5, metered.Joules, 6);
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
            [heat.Sessions[0].Contender] = new(fastJoules * 500, 500, 500 * 1, EnergyMethod.Measured, "ina219"),
            [heat.Sessions[1].Contender] = new(70, 70, 70 * 10, EnergyMethod.Measured, "ina219"),
        };
        var decided = MeteredRace.Decide(heat with { Objective = objective }, verdict, totals);
        Assert.Equal(winner, decided.Winner!.Variant);
        Assert.Equal(winner, decided.Contenders.Single(contender => contender.Outcome == ContenderOutcome.Won).Contender.Variant);
        Assert.Equal(fastJoules, decided.Contenders[0].Energy!.Joules, 9);
    }

    [Fact]
    public void TheProductIsThatOfTheBlocksOwnLatencyAndNotOfTheHeatsWhichMayBeOfFewRuns()
    {
        // The heat says that fast is ten times as fast; in the blocks it is a fifth slower.
        var (heat, verdict) = Raced(incumbent: null);
        var totals = new Dictionary<ContenderId, Weighed>
        {
            [heat.Sessions[0].Contender] = new Weighed(2, 2, 2 * 10, EnergyMethod.Measured, "ina219") + new Weighed(8, 8, 8 * 12.5, EnergyMethod.Measured, "ina219"),
            [heat.Sessions[1].Contender] = new(10, 10, 10 * 10, EnergyMethod.Measured, "ina219"),
        };
        var decided = MeteredRace.Decide(heat with { Objective = Objective.Product }, verdict, totals);
        Assert.Equal("frugal", decided.Winner!.Variant);
        Assert.EndsWith("1.20 × the winner's cost.", decided.Contenders[0].Reason, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>Joules and coverage are those of each block as it ends. No joules: the meter says nothing; no coverage: it left no gap.</summary>
    private async Task<HeatVerdict> WeighAsync(Heat heat, HeatVerdict verdict, double?[] joules, double[]? coverage = null, ChildHost? host = null)
    {
        var probe = new EnergyProbe
        {
            SamplesPerSecond = 45,
            Metered = (from, to) =>
            {
                _asked.Add((from, to));
                return joules[_asked.Count - 1] is { } value ? new MeteredJoules(value, coverage?[_asked.Count - 1] ?? 1, EnergyMethod.Measured, "ina219") : null;
            },
        };
        var heats = new HeatRunner(host ?? TestChildren.Host(_folder), new Lines<HeatRunner>(), TimeProvider.System);
        return await new MeteredRace(heats, probe, _ => new HeatLimits(), TimeProvider.System).WeighAsync(heat, verdict, TestContext.Current.CancellationToken);
    }

    /// <summary>Heat processes of one contender that have always run the same.</summary>
    private ChildHost Saying(HeatVerdict verdict, int runCount, int throttledRunCount = 0, RunSpan? ran = null)
    {
        var alone = verdict.Contenders[0] with { RunCount = runCount, ThrottledRunCount = throttledRunCount };
        var script = TestChildren.Saying(_folder, TestChildren.Greeting, verdict with { Contenders = [alone], Ran = ran ?? Ran });
        return TestChildren.Host(_folder) with { Executable = "/bin/sh", Prefix = ["-c", script] };
    }

    private (Heat Heat, HeatVerdict Verdict) Raced(string? incumbent, params string[] variants)
    {
        string[] names = variants is [] ? ["fast", "frugal"] : variants;
        var sessions = names.Select(name => TestChildren.Session(_folder, OnnxModels.Tiny(), name)).ToList();
        var heat = new Heat { Sessions = sessions, Objective = Objective.Energy, BudgetMilliseconds = 5000, Alpha = 0.01, TieMargin = Tie, Incumbent = sessions.FirstOrDefault(s => s.Contender.Variant == incumbent)?.Contender };
        ContenderVerdict Of(string variant, double? milliseconds) => new()
        {
            Contender = new ContenderId(variant, "CPUExecutionProvider", 1),
            Outcome = milliseconds is null ? ContenderOutcome.Failed : variant == "fast" ? ContenderOutcome.Won : ContenderOutcome.Lost,
            ReasonCode = "said", Reason = "As the heat said.", Top1 = 0.9,
            LatencyMilliseconds = milliseconds is { } p ? new Percentiles(p, p, p, p) : null,
        };
        return (heat, new HeatVerdict { Contenders = [.. names.Select(name => Of(name, name == "fast" ? 1 : 10)), Of("broken", null)], Winner = sessions[0].Contender, Reason = "As the heat said." });
    }
}
