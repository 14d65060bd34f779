using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class RaceControllerTests(ITestOutputHelper output)
{
    private static readonly RaceRules Rules = new() { Objective = Objective.Latency };

    [Fact]
    public void OverTwoThousandRacesTheWrongOneWinsInAtMostOneInAHundred()
    {
        int wrong = 0, outOfTime = 0, runs = 0, entrants = 0;
        for (var seed = 0; seed < 2000; seed++)
        {
            var setup = new Random(seed + 10_000);
            var board = new SyntheticBoard(seed)
            {
                DriftPerSecond = setup.NextDouble() < 0.5 ? setup.NextDouble() * 0.5 : 0,
                Throttled = setup.NextDouble() < 0.3 ? (0.05, 0.05 + setup.NextDouble()) : (-1, -1),
            };
            var noise = 0.02 + setup.NextDouble() * 0.15;
            var spikes = setup.NextDouble() * 0.04;
            var fastest = 0.2 + setup.NextDouble() * 8;
            var field = new List<SyntheticContender>();
            var count = setup.Next(2, 7);
            var order = Enumerable.Range(0, count).OrderBy(_ => setup.Next()).ToArray();
            for (var i = 0; i < count; i++)
            {
                // Some are equals of the fastest, some barely slower, some much.
                var slower = i == 0 || setup.NextDouble() < 0.2 ? 1 : 1 + setup.NextDouble() * setup.NextDouble() * 2;
                field.Add(new SyntheticContender(board, $"v{i}", fastest * slower, order[i])
                {
                    Noise = noise,
                    SpikeShare = spikes,
                    ThrottlingFactor = 1.5 + setup.NextDouble(),
                    FailsAtRun = i > 0 && setup.NextDouble() < 0.1 ? setup.Next(1, 40) : 0,
                });
            }

            var outcome = new RaceController(Rules, board, () => board.IsThrottled).Race(field, CancellationToken.None);
            var winner = field.Single(contender => contender.Id == outcome.Winner);
            if (winner.Milliseconds > fastest / (1 - Rules.TieMargin)) wrong++;
            if (outcome.OutOfTime) outOfTime++;
            runs += field.Sum(contender => contender.RunCount);
            entrants += field.Count;
        }

        output.WriteLine($"wrong {wrong} of 2000, out of time {outOfTime}, {(double)runs / entrants:F1} runs per contender");
        Assert.True(wrong <= 20, $"{wrong} of 2000 races named a contender more than the tie margin slower than the fastest");
    }

    [Fact]
    public void AClearRaceTakesFewRuns()
    {
        var runs = 0;
        for (var seed = 0; seed < 200; seed++)
        {
            var board = new SyntheticBoard(seed);
            var slow = new SyntheticContender(board, "fp32", 3.26, 0);
            var fast = new SyntheticContender(board, "int8", 1.48, 1);
            var outcome = new RaceController(Rules, board).Race([slow, fast], CancellationToken.None);
            Assert.Equal("int8", outcome.Winner!.Variant);
            runs += slow.RunCount + fast.RunCount;
        }

        output.WriteLine($"{runs / 400.0:F1} runs per contender, warm-up included");
        Assert.True(runs / 400.0 <= 12);
    }

    [Fact]
    public void WhereWarmingUpTakesTheWholeBudgetTheFastestIsStillTold()
    {
        var board = new SyntheticBoard(1);
        var slow = new SyntheticContender(board, "fp32", 6, 0);
        var fast = new SyntheticContender(board, "int8", 2, 1);
        var outcome = new RaceController(Rules with { Budget = TimeSpan.FromMilliseconds(10) }, board).Race([slow, fast], CancellationToken.None);
        Assert.Equal("int8", outcome.Winner!.Variant);
        Assert.InRange(slow.RunCount, 3, 8);
    }

    [Fact]
    public void ATieKeepsTheIncumbentOverAHundredRaces()
    {
        for (var seed = 0; seed < 100; seed++)
        {
            var board = new SyntheticBoard(seed);
            var challenger = new SyntheticContender(board, "challenger", 2, 1);
            var incumbent = new SyntheticContender(board, "incumbent", 2.04, 0);
            var outcome = new RaceController(Rules, board).Race([challenger, incumbent], CancellationToken.None);
            Assert.Equal("incumbent", outcome.Winner!.Variant);
            Assert.Equal(ContenderOutcome.Tied, outcome.Results.Single(result => result.Id.Variant == "challenger").Outcome);
        }
    }

    [Fact]
    public void TheFasterOneOnAverageLosesIfItsTailIsWorse()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var board = new SyntheticBoard(seed);
            var jumpy = new SyntheticContender(board, "jumpy", 1, 0) { SpikeShare = 0.12 };
            var steady = new SyntheticContender(board, "steady", 1.1, 1) { SpikeShare = 0.01 };
            Assert.Equal("steady", new RaceController(Rules, board).Race([jumpy, steady], CancellationToken.None).Winner!.Variant);
        }
    }

    [Fact]
    public void ATailThatComesInSpellsIsWaitedForAlsoByAFastModel()
    {
        for (var seed = 0; seed < 20; seed++)
        {
            var board = new SyntheticBoard(seed);
            var jumpy = new SyntheticContender(board, "jumpy", 0.1, 0) { HasSpells = true };
            var steady = new SyntheticContender(board, "steady", 0.11, 1);
            Assert.Equal("steady", new RaceController(Rules, board).Race([jumpy, steady], CancellationToken.None).Winner!.Variant);
        }
    }

    [Fact]
    public void RunsWhileThrottledDoNotCount()
    {
        // Throttling hits the faster one so hard that it would lose.
        var board = new SyntheticBoard(1) { Throttled = (0, 0.5) };
        var fast = new SyntheticContender(board, "fast", 1, 1) { ThrottlingFactor = 4 };
        var slow = new SyntheticContender(board, "slow", 1.5, 0) { ThrottlingFactor = 1 };
        var outcome = new RaceController(Rules, board, () => board.IsThrottled).Race([fast, slow], CancellationToken.None);
        Assert.Equal("fast", outcome.Winner!.Variant);
        Assert.All(outcome.Results, result => Assert.True(result.ThrottledRunCount > 50));
        Assert.True(outcome.Results.Single(result => result.Id.Variant == "fast").LatencyMilliseconds!.P50 < 1.5);
    }

    [Fact]
    public void OneThatFailsLeavesAndTheRaceGoesOn()
    {
        var board = new SyntheticBoard(1);
        var outcome = new RaceController(Rules, board).Race(
            [new SyntheticContender(board, "breaks", 1, 0) { FailsAtRun = 5 }, new SyntheticContender(board, "good", 2, 1), new SyntheticContender(board, "slow", 4, 2)],
            CancellationToken.None);
        Assert.Equal("good", outcome.Winner!.Variant);
        var failed = outcome.Results.Single(result => result.Id.Variant == "breaks");
        Assert.Equal((ContenderOutcome.Failed, "run.failed"), (failed.Outcome, failed.ReasonCode));
        Assert.Contains("kernel failed", failed.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void WhereAllFailNobodyWins()
    {
        var board = new SyntheticBoard(1);
        var outcome = new RaceController(Rules, board).Race([new SyntheticContender(board, "breaks", 1, 0) { FailsAtRun = 1 }], CancellationToken.None);
        Assert.Null(outcome.Winner);
    }

    [Fact]
    public void OneAloneWinsAndGetsItsNumbers()
    {
        var board = new SyntheticBoard(1);
        var outcome = new RaceController(Rules, board).Race([new SyntheticContender(board, "only", 1, 0)], CancellationToken.None);
        Assert.Equal("only", outcome.Winner!.Variant);
        Assert.InRange(outcome.Results[0].LatencyMilliseconds!.P50, 0.8, 1.2);
    }

    // Warming up takes the first two runs, and each round two.
    [Theory]
    [InlineData(1, 18)]
    [InlineData(3, 18)]
    [InlineData(5, 18)]
    [InlineData(8, 18)]
    [InlineData(5, 300)]
    public void AStandstillOfTheBoardThatTakesTheBudgetDoesNotDecideTheRace(int run, int seconds)
    {
        var board = new SyntheticBoard(1);
        var fast = new SyntheticContender(board, "fast", 300, 1) { SpikeShare = 0, StandstillAtRun = run, Standstill = TimeSpan.FromSeconds(seconds) };
        var outcome = new RaceController(Rules with { Budget = TimeSpan.FromSeconds(20) }, board).Race(
            [fast, new SyntheticContender(board, "slow", 400, 0) { SpikeShare = 0 }], CancellationToken.None);
        Assert.Equal("fast", outcome.Winner!.Variant);
        Assert.InRange(board.Seconds, seconds, seconds + 25);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void OneAloneGetsItsNumbersAlsoWhereAStandstillOfTheBoardTookTheBudget(int run)
    {
        var board = new SyntheticBoard(1);
        var only = new SyntheticContender(board, "only", 1, 0) { StandstillAtRun = run, Standstill = TimeSpan.FromMinutes(1) };
        var outcome = new RaceController(Rules with { Budget = TimeSpan.FromSeconds(20) }, board).Race([only], CancellationToken.None);
        Assert.InRange(outcome.Results[0].LatencyMilliseconds!.P50, 0.8, 1.2);
    }

    [Theory]
    [InlineData(2, "fast")]
    [InlineData(1.02, "incumbent")]
    public void ABoardThatThrottlesAllTheTimeIsJudgedByThatWithinTheBudget(double milliseconds, string winner)
    {
        var board = new SyntheticBoard(1) { Throttled = (0, 1e9) };
        var outcome = new RaceController(Rules with { Budget = TimeSpan.FromSeconds(2) }, board, () => board.IsThrottled).Race(
            [new SyntheticContender(board, "fast", 1, 1), new SyntheticContender(board, "incumbent", milliseconds, 0)], CancellationToken.None);
        Assert.Equal(winner, outcome.Winner!.Variant);
        Assert.True(outcome.OutOfTime);
        Assert.All(outcome.Results, result => Assert.NotNull(result.LatencyMilliseconds));
        Assert.Contains("throttled throughout", outcome.Results.Single(result => result.Outcome == ContenderOutcome.Won).Reason, StringComparison.Ordinal);
        Assert.InRange(board.Seconds, 2, 2.1);
    }

    [Theory]
    [InlineData(0.013, "all rounds but 1")]
    [InlineData(0.019, "all rounds but 2")]
    public void AFewRoundsBeforeTheBoardThrottledDoNotDecideAlone(double start, string said)
    {
        var board = new SyntheticBoard(1) { Throttled = (start, 1e9) };
        var fast = new SyntheticContender(board, "fast", 1, 1) { Noise = 0, SpikeShare = 0 };
        var incumbent = new SyntheticContender(board, "incumbent", 2, 0) { Noise = 0, SpikeShare = 0 };
        var outcome = new RaceController(Rules with { Budget = TimeSpan.FromSeconds(2) }, board, () => board.IsThrottled).Race([fast, incumbent], CancellationToken.None);
        Assert.Equal("fast", outcome.Winner!.Variant);
        Assert.All(outcome.Results, result => Assert.InRange(result.RunCount, result.ThrottledRunCount + 2, result.ThrottledRunCount + 4));
        Assert.Contains($"The board throttled in {said}.", outcome.Results.Single(result => result.Id == outcome.Winner).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void ADeadlineThatTheThriftyOneMissesIsKeptByAnother()
    {
        var board = new SyntheticBoard(1);
        var rules = Rules with { Objective = Objective.Energy, DeadlineMilliseconds = 5 };
        var thrifty = new SyntheticContender(board, "thrifty", 8, 0) { Noise = 0.05, SpikeShare = 0 };
        var quick = new SyntheticContender(board, "quick", 3, 1) { Noise = 0.05, SpikeShare = 0 };
        var outcome = new RaceController(rules, board).Race([new CheapRuns(thrifty, 0.4), quick], CancellationToken.None);
        Assert.Equal("quick", outcome.Winner!.Variant);
        Assert.Equal("deadline.missed", outcome.Results.Single(result => result.Id.Variant == "thrifty").ReasonCode);
    }

    [Fact]
    public void CancellingEndsIt()
    {
        var board = new SyntheticBoard(1);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() =>
            new RaceController(Rules, board).Race([new SyntheticContender(board, "only", 1, 0)], cancelled.Token));
    }

    private sealed class CheapRuns(IContender inner, double cpuShare) : IContender
    {
        public ContenderId Id => inner.Id;
        public int Preference => inner.Preference;
        public RunSample Measure() => inner.Measure() is var sample ? sample with { CpuNanoseconds = sample.CpuNanoseconds * cpuShare * 0.5 } : default;
    }
}
