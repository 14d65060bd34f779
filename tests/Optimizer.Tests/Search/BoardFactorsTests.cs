using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class BoardFactorsTests
{
    private static readonly Dictionary<string, (Precision, BuildTime)> Known = new()
    {
        ["reference"] = (Precision.Fp32, new(2, 2)), ["pruned-50"] = (Precision.Fp32, new(1, 1)), ["reference-int8"] = (Precision.Int8, new(1, 0.5)),
    };

    [Fact]
    public void ABoardsFactorsAreMediansByPrecisionOnOneThread()
    {
        var factors = BoardFactors.Learn(Verdict(("reference", 1, 20), ("pruned-50", 1, 14), ("reference-int8", 1, 30), ("reference", 4, 6)), Known)!;
        Assert.Equal(new PrecisionFactors(12, 30), factors.Time);
        Assert.Null(factors.Energy);
        Assert.Equal("Cortex-A72", factors.Board);
    }

    [Fact]
    public void APrecisionThatWasNotRacedHasTheFactorOfTheOther()
    {
        Assert.Equal(10, BoardFactors.Learn(Verdict(("reference", 1, 20)), Known)!.Time.Integer);
        Assert.Equal(30, BoardFactors.Learn(Verdict(("reference-int8", 1, 30)), Known)!.Time.Float);
    }

    [Fact]
    public void AVerdictOfOtherVariantsTeachesNothing() => Assert.Null(BoardFactors.Learn(Verdict(("mobilenet", 1, 20)), Known));

    [Fact]
    public void WhereBytesAreSlowOnTheFleetFloatIsCheaper()
    {
        BoardFactors[] fleet = [new("slow bytes", new(10, 40), null), new("alike", new(5, 5), new(1, 3))];
        Assert.Equal(1, BoardFactors.FleetTime(fleet, Precision.Fp32, new(1, 1)).Milliseconds, 9);
        Assert.Equal(2, BoardFactors.FleetTime(fleet, Precision.Int8, new(1, 1)).Milliseconds, 9);
        // Only one of them has told what bytes cost it.
        Assert.Equal(3, BoardFactors.FleetTime(fleet, Precision.Int8, new(1, 1)).CpuMilliseconds, 9);
    }

    [Fact]
    public void WithoutVerdictsTheWorkstationCounts() => Assert.Equal(new BuildTime(3, 4), BoardFactors.FleetTime([], Precision.Int8, new(3, 4)));

    [Theory]
    [InlineData(EnergyMethod.Measured, 0.02, 0.4)]
    [InlineData(EnergyMethod.Estimated, 10, 40)]
    public void TheEnergyOfABoardIsItsJoulesOfOneMethodElseItsCpuTime(EnergyMethod ofBytes, double inFloat, double onBytes)
    {
        var verdict = Verdict(("reference", 1, 20), ("reference-int8", 1, 30));
        ContenderVerdict Told(int index, double joules, EnergyMethod method, double cpu) => verdict.Contenders[index] with { Energy = new JoulesPerInference(joules, method, "ina219"), CpuMilliseconds = cpu };
        verdict = verdict with { Contenders = [Told(0, 0.04, EnergyMethod.Measured, 20), Told(1, 0.2, ofBytes, 20)] };
        var energy = BoardFactors.Learn(verdict, Known)!.Energy!.Value;
        Assert.Equal((inFloat, onBytes), (Math.Round(energy.Float, 9), Math.Round(energy.Integer, 9)));
    }

    internal static Verdict Verdict(params (string Variant, int Threads, double P95)[] contenders) => new()
    {
        Schema = Contracts.Race.Verdict.CurrentSchema,
        Fingerprint = Digest.Of("x"u8),
        Started = DateTimeOffset.UnixEpoch,
        ElapsedMilliseconds = 1,
        Reason = "it was the fastest",
        Contenders = [.. contenders.Select(c => new ContenderVerdict
        {
            Contender = new ContenderId(c.Variant, "CPUExecutionProvider", c.Threads),
            Outcome = ContenderOutcome.Lost,
            ReasonCode = "slower",
            Reason = "slower",
            LatencyMilliseconds = new Percentiles(c.P95, c.P95, c.P95, c.P95),
            Top1 = 0.9,
        })],
        Conditions = new RaceConditions
        {
            Release = Digest.Of("x"u8),
            Contenders = [],
            Objective = Objective.Latency,
            AccuracyFloor = 0.8,
            BudgetMilliseconds = 1,
            UsableCores = 4,
            MemoryLimitByteCount = 1,
            OnnxRuntimeVersion = "1",
            AgentVersion = "1",
            CpuModel = "Cortex-A72",
            ExecutionProviders = [],
            Kernel = "6",
        },
    };
}
