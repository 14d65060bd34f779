using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class BoardFactorsTests
{
    private static readonly Dictionary<string, (Precision, double)> Known = new()
    {
        ["reference"] = (Precision.Fp32, 2), ["pruned-50"] = (Precision.Fp32, 1), ["reference-int8"] = (Precision.Int8, 1),
    };

    [Fact]
    public void ABoardsFactorsAreMediansByPrecisionOnOneThread()
    {
        var factors = BoardFactors.Learn(Verdict(("reference", 1, 20), ("pruned-50", 1, 14), ("reference-int8", 1, 30), ("reference", 4, 6)), Known)!;
        Assert.Equal((12, 30), (factors.Float, factors.Integer));
        Assert.Equal("Cortex-A72", factors.Board);
    }

    [Fact]
    public void APrecisionThatWasNotRacedHasTheFactorOfTheOther()
    {
        Assert.Equal(10, BoardFactors.Learn(Verdict(("reference", 1, 20)), Known)!.Integer);
        Assert.Equal(30, BoardFactors.Learn(Verdict(("reference-int8", 1, 30)), Known)!.Float);
    }

    [Fact]
    public void AVerdictOfOtherVariantsTeachesNothing() => Assert.Null(BoardFactors.Learn(Verdict(("mobilenet", 1, 20)), Known));

    [Fact]
    public void WhereBytesAreSlowOnTheFleetFloatIsCheaper()
    {
        BoardFactors[] fleet = [new("slow bytes", 10, 40), new("alike", 5, 5)];
        Assert.Equal(1, BoardFactors.FleetMilliseconds(fleet, Precision.Fp32, 1), 9);
        Assert.Equal(2, BoardFactors.FleetMilliseconds(fleet, Precision.Int8, 1), 9);
    }

    [Fact]
    public void WithoutVerdictsTheWorkstationCounts() => Assert.Equal(3, BoardFactors.FleetMilliseconds([], Precision.Int8, 3));

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
