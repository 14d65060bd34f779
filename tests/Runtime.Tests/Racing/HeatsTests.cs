using System.Diagnostics;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;
using Dunlin.Runtime.Tests.Sessions;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class HeatsTests(ITestOutputHelper output) : IDisposable
{
    private readonly SessionSpecs _specs = new();

    public void Dispose() => _specs.Dispose();

    [Fact]
    public void TheFasterOfTwoSavedModelsWinsAndTheOtherSaysByHowMuch()
    {
        var start = Stopwatch.GetTimestamp();
        var verdict = new Heats(TimeProvider.System).Run(Race(Saved("heavy", 12, 32), Saved("light", 1, 32)), CancellationToken.None);
        output.WriteLine($"{Stopwatch.GetElapsedTime(start).TotalMilliseconds:F0} ms: {verdict.Reason}");
        Assert.Equal("light", verdict.Winner!.Variant);
        var loser = verdict.Contenders[0];
        Assert.Equal(("heavy", ContenderOutcome.Lost, "slower"), (loser.Contender.Variant, loser.Outcome, loser.ReasonCode));
        Assert.Contains("slower than light on CPUExecutionProvider, 1 thread", loser.Reason, StringComparison.Ordinal);
        Assert.All(verdict.Contenders, contender => Assert.True(contender.LatencyMilliseconds!.P95 > 0 && contender.CpuMilliseconds > 0));
        Assert.Equal(EnergyMethod.Estimated, loser.Energy!.Method);
        Assert.Equal(loser.CpuMilliseconds!.Value * 2 / 1000, loser.Energy.Joules, 1e-9);
    }

    [Fact]
    public void ThreadCountsOfTheLoserAreNotRaced()
    {
        var heavy = Saved("heavy", 12, 32);
        var light = Saved("light", 1, 32);
        var verdict = new Heats(TimeProvider.System).Run(
            Race(heavy, heavy with { Contender = heavy.Contender with { Threads = 2 } }, light, light with { Contender = light.Contender with { Threads = 2 } }),
            CancellationToken.None);
        Assert.Equal("light", verdict.Winner!.Variant);
        Assert.Equal(("variant.lost", 0), (verdict.Contenders[1].ReasonCode, verdict.Contenders[1].RunCount));
        Assert.True(verdict.Contenders[3].RunCount > 0);
    }

    [Fact]
    public void AModelThatDoesNotLoadFailsAndTheOthersRace()
    {
        var broken = _specs.Write(HostileModels.Garbage, "broken");
        var verdict = new Heats(TimeProvider.System).Run(Race(broken, Saved("light", 1, 8)), CancellationToken.None);
        Assert.Equal("light", verdict.Winner!.Variant);
        Assert.Equal((ContenderOutcome.Failed, "model.load"), (verdict.Contenders[0].Outcome, verdict.Contenders[0].ReasonCode));
    }

    [Fact]
    public void WhereNothingRunsTheReasonSaysWhy()
    {
        var verdict = new Heats(TimeProvider.System).Run(Race(_specs.Write(HostileModels.Garbage, "broken")), CancellationToken.None);
        Assert.Null(verdict.Winner);
        Assert.Contains("does not load", verdict.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void OneAloneRunsForAMeterUntilTheBudgetIsSpent()
    {
        var verdict = new Heats(TimeProvider.System).Run(
            Race(Saved("light", 1, 8)) with { Objective = Objective.Energy, JoulesPerCpuSecond = null, BudgetMilliseconds = 200 }, CancellationToken.None);
        Assert.True(verdict.Contenders[0].RunCount > 100);
        Assert.Null(verdict.Contenders[0].Energy);
    }

    [Fact]
    public void AHeatForAMeterTellsWhenItsRunsWereWithTheOneThatOvershotItsBudget()
    {
        var race = Race(Saved("heavy", 12, 32)) with { Objective = Objective.Energy, JoulesPerCpuSecond = null, BudgetMilliseconds = 40 };
        var verdict = new Heats(new LateClock(TimeSpan.FromMilliseconds(30))).Run(race, CancellationToken.None);
        // Each look at the clock is 30 ms after the last: the only run begins within the budget and ends long after it.
        Assert.Equal(1, verdict.Contenders[0].RunCount);
        Assert.InRange(verdict.Ran!.EndNanoseconds - verdict.Ran.BeginNanoseconds, 80_000_000, 200_000_000);
    }

    [Fact]
    public void TheRunsOfAHeatForAMeterAreWithinItAndTakeTheBudget()
    {
        var race = Race(Saved("light", 1, 8)) with { Objective = Objective.Energy, JoulesPerCpuSecond = null, BudgetMilliseconds = 200 };
        var begin = TimeProvider.System.GetTimestamp();
        var ran = new Heats(TimeProvider.System).Run(race, CancellationToken.None).Ran!;
        Assert.True(begin < ran.BeginNanoseconds && ran.EndNanoseconds < TimeProvider.System.GetTimestamp());
        Assert.True(ran.EndNanoseconds - ran.BeginNanoseconds >= 200_000_000);
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(2, true)]
    [InlineData(0, false)]
    public void OneAloneSaysThatTheBoardThrottledMeanwhile(int throttledLook, bool isPartly)
    {
        var looks = 0;
        // At one look of those at the begin and after each quarter of a second, or at all of them.
        bool IsThrottled() => ++looks == throttledLook || !isPartly;
        var alone = new Heats(TimeProvider.System, IsThrottled).Run(
            Race(Saved("light", 1, 8)) with { Objective = Objective.Energy, JoulesPerCpuSecond = null, BudgetMilliseconds = 900 }, CancellationToken.None).Contenders[0];
        Assert.InRange(looks, 3, 5);
        Assert.True(alone.ThrottledRunCount > 0);
        Assert.True(alone is { RunCount: > 0, LatencyMilliseconds: not null }, "what throttles throughout is better judged by that than not at all");
        if (isPartly) Assert.NotEqual(alone.RunCount, alone.ThrottledRunCount);
        else Assert.Equal(alone.RunCount, alone.ThrottledRunCount);
    }

    [Fact]
    public async Task EachRunHasItsOwnCpuTimeInAProcessWithALimitOfIt()
    {
        await Tool.SucceedAsync("prlimit", "--cpu=86400", "--pid", $"{Environment.ProcessId}");
        using var contender = SessionContender.Open(Saved("heavy", 12, 32), 0);
        var runs = Enumerable.Range(0, 100).Select(_ => contender.Measure()).ToList();
        // Of the least latency, since a run that was pushed off its core takes as long as it likes.
        var least = runs.Min(run => run.LatencyNanoseconds);
        Assert.InRange(runs.Count(run => run.CpuNanoseconds > least / 2), 90, 100);
    }

    [Fact]
    public void PreparingSavesTheModelAndTriesIt()
    {
        var directory = Path.Combine(_specs.Folder, "out");
        var prepared = new Heats(TimeProvider.System).Prepare(new Prepare { Session = _specs.Write(OnnxModels.Tiny()), OutputDirectory = directory });
        Assert.True(prepared.LoadMilliseconds > 0);
        Assert.Equal(2, Directory.GetFiles(directory).Length);
    }

    private SessionSpec Saved(string variant, int depth, int channels) =>
        SavedModel.Save(_specs.Write(OnnxModels.Tiny(side: 8, channels: channels, depth: depth), variant), Path.Combine(_specs.Folder, "saved-" + variant));

    private static Heat Race(params SessionSpec[] sessions) => new()
    {
        Sessions = sessions,
        Objective = Objective.Latency,
        BudgetMilliseconds = 5000,
        Alpha = 0.01,
        TieMargin = 0.05,
        JoulesPerCpuSecond = 2,
    };

    private sealed class LateClock(TimeSpan later) : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => 1_000_000_000;
        public override long GetTimestamp() => _now += (long)later.TotalNanoseconds;
    }
}
