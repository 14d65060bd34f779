using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Runtime.Tests.Racing;

public sealed class VerdictTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-verdicts-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void TheFingerprintDependsOnTheConditionsButNotOnTheOrderOfLists()
    {
        var conditions = Garments.Conditions(Garments.Id("a"), Garments.Id("b"));
        Assert.Equal(Fingerprint.Of(conditions), Fingerprint.Of(Garments.Conditions(Garments.Id("b"), Garments.Id("a"))));
        Assert.NotEqual(Fingerprint.Of(conditions), Fingerprint.Of(conditions with { CpuGovernor = "powersave" }));
        Assert.NotEqual(Fingerprint.Of(conditions), Fingerprint.Of(conditions with { DeadlineMilliseconds = 33 }));
    }

    [Fact]
    public void AVerdictIsAssembledWithAccuracyAndGoldenResults()
    {
        var verdict = Verdict();
        Assert.Equal("int8", verdict.Winner!.Variant);
        Assert.Equal("int8 is 2.2 × faster; top-1 89.0 %.", verdict.Reason);
        Assert.Equal(["int8", "fp32", "broken"], verdict.Contenders.Select(contender => contender.Contender.Variant));
        Assert.Equal(199, verdict.Contenders[0].Golden!.AgreementCount);
        Assert.Equal(0.92, verdict.Contenders[1].Top1);
    }

    [Fact]
    public void AHeatCannotNameAWinnerThatDidNotRace()
    {
        var verdict = Verdict(Garments.Id("smuggled"));
        Assert.Null(verdict.Winner);
        Assert.DoesNotContain(verdict.Contenders, contender => contender.Contender.Variant == "smuggled");
    }

    [Fact]
    public void AVerdictIsFoundAgainByItsConditions()
    {
        var store = new VerdictStore(_folder, NullLogger<VerdictStore>.Instance);
        var verdict = Verdict();
        Assert.Null(store.Find(verdict.Conditions));
        store.Save(verdict);
        Assert.Equal(verdict.Reason, store.Find(verdict.Conditions)!.Reason);
        Assert.Null(store.Find(verdict.Conditions with { Kernel = "7.0" }));
    }

    [Fact]
    public void TheNewestIsKeptThoughTheClockIsBehind()
    {
        var store = new VerdictStore(_folder, NullLogger<VerdictStore>.Instance);
        var verdict = Verdict();
        for (var i = 0; i < 32; i++) store.Keep(verdict, verdict.Conditions with { Kernel = $"9.{i}" });
        foreach (var file in Directory.GetFiles(_folder)) File.SetLastWriteTimeUtc(file, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(1));
        store.Save(verdict);
        Assert.NotNull(store.Find(verdict.Conditions));
        Assert.Equal(32, Directory.GetFiles(_folder).Length);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"schema\":\"dunlin.race.v1\"}")]
    public void ACorruptCacheIsIgnored(string content)
    {
        var store = new VerdictStore(_folder, NullLogger<VerdictStore>.Instance);
        var verdict = Verdict();
        store.Save(verdict);
        File.WriteAllText(Path.Combine(_folder, verdict.Fingerprint.Hex + ".json"), content);
        Assert.Null(store.Find(verdict.Conditions));
    }

    [Fact]
    public void AVerdictUnderAnotherFingerprintIsIgnored()
    {
        var store = new VerdictStore(_folder, NullLogger<VerdictStore>.Instance);
        var verdict = Verdict();
        store.Save(verdict);
        var other = verdict.Conditions with { Kernel = "7.0" };
        File.Move(Path.Combine(_folder, verdict.Fingerprint.Hex + ".json"), Path.Combine(_folder, Fingerprint.Of(other).Hex + ".json"));
        Assert.Null(store.Find(other));
    }

    [Fact]
    public void TheLadderGoesDownInCpuTimeOverWhatKeepsTheDeadline()
    {
        var winner = new ContenderId("fp32", "CPUExecutionProvider", 4);
        ContenderVerdict Ran(string variant, int threads, double cpu, double p95, string code = "slower") =>
            Raced(variant, ContenderOutcome.Lost, "It is slower.", p95) with { Contender = winner with { Variant = variant, Threads = threads }, CpuMilliseconds = cpu, ReasonCode = code };
        var verdict = Verdict();
        verdict = verdict with
        {
            Winner = winner,
            Conditions = verdict.Conditions with { DeadlineMilliseconds = 50 },
            Contenders =
            [
                Ran("fp32", 4, 100, 30) with { Outcome = ContenderOutcome.Won },
                Ran("fp32", 2, 95, 40), Ran("fp32", 1, 80, 45),
                Ran("late", 1, 70, 60), Ran("often-late", 1, 65, 49, RaceRules.DeadlineMissed),
                Ran("int8", 2, 50, 20), Ran("int8", 1, 40, 40),
                Ran("broken", 1, 10, 10) with { Outcome = ContenderOutcome.Failed },
            ],
        };
        Assert.Equal([winner, winner with { Threads = 1 }, winner with { Variant = "int8", Threads = 1 }], Downshift.Ladder(verdict));
        Assert.Equal(["fp32", "fp32", "late", "int8"], Downshift.Ladder(verdict with { Conditions = verdict.Conditions with { DeadlineMilliseconds = null } }).Select(rung => rung.Variant));
    }

    private static Verdict Verdict(ContenderId? smuggled = null)
    {
        ContenderVerdict[] raced =
        [
            Raced("fp32", ContenderOutcome.Lost, "fp32 is slower.", 3.3),
            smuggled is null ? Raced("int8", ContenderOutcome.Won, "int8 is 2.2 × faster.", 1.5) : Raced(smuggled.Variant, ContenderOutcome.Won, "It won.", 1),
        ];
        var broken = Garments.Variant("broken");
        return VerdictAssembly.Assemble(new RaceRecord
        {
            Manifest = Garments.Manifest(Garments.Variant("fp32", 0.92), Garments.Variant("int8", 0.89), broken),
            Conditions = Garments.Conditions(Garments.Id("fp32"), Garments.Id("int8"), Garments.Id("broken")),
            Started = DateTimeOffset.UnixEpoch,
            ElapsedMilliseconds = 300,
            Left = [VerdictAssembly.Failed(broken, Garments.Id("broken"), "prepare.crashed", "Its process died.")],
            Golden = new Dictionary<string, GoldenResult> { ["int8"] = new(200, 199, 180, true) },
            Heat = new HeatVerdict { Contenders = raced, Winner = smuggled ?? Garments.Id("int8"), Reason = "" },
        });
    }

    private static ContenderVerdict Raced(string variant, ContenderOutcome outcome, string reason, double milliseconds) => new()
    {
        Contender = Garments.Id(variant),
        Outcome = outcome,
        ReasonCode = outcome == ContenderOutcome.Won ? "won" : "slower",
        Reason = reason,
        LatencyMilliseconds = new Contracts.Messages.Percentiles(milliseconds, milliseconds, milliseconds, milliseconds),
        CpuMilliseconds = milliseconds,
        Top1 = 0,
    };
}
