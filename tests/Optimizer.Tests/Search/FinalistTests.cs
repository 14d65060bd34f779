using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class FinalistTests
{
    [Fact]
    public void TheReferenceAndItsInt8FormAreChosenEvenWhereTheyAreBeatenOrFail()
    {
        List<Finalist> all = [Of("reference", 10, 0.90), Of("reference-int8", 9, 0.80, LimitAnswer.Fails), Of("pruned-50", 1, 0.95)];
        Assert.Equal(all, Choose(all, 8));
        Assert.Equal(["reference", "reference-int8"], Choose(all, 2).Select(f => f.Build.Id));
    }

    [Fact]
    public void WhatFailsTheLimitOrIsBeatenIsNotChosen()
    {
        List<Finalist> all = [Of("reference", 10, 0.90), Of("pruned-30", 5, 0.895), Of("pruned-20", 6, 0.89), Of("pruned-90", 1, 0.5, LimitAnswer.Fails)];
        Assert.Equal(["reference", "pruned-30"], Choose(all, 8).Select(f => f.Build.Id));
    }

    [Fact]
    public void WhoHoldsTheLimitSurelyComesBeforeWhoMayHoldIt()
    {
        List<Finalist> all = [Of("reference", 10, 0.90), Of("pruned-30", 5, 0.895), Of("pruned-20", 6, 0.899, LimitAnswer.Unsure), Of("pruned-40", 4, 0.892)];
        Assert.Equal(["reference", "pruned-30", "pruned-40"], Choose(all, 3).Select(f => f.Build.Id));
        Assert.Equal(4, Choose(all, 4).Count);
    }

    [Fact]
    public void OneThatMayHoldTheLimitIsChosenIfItIsTheCheapest()
    {
        List<Finalist> all = [Of("reference", 10, 0.90), Of("pruned-30", 5, 0.899), Of("pruned-50", 3, 0.892, LimitAnswer.Unsure), Of("pruned-60", 2, 0.891, LimitAnswer.Unsure), Of("pruned-40", 4, 0.895)];
        Assert.Equal(["reference", "pruned-40"], Choose(all, 2).Select(f => f.Build.Id));
        Assert.Equal(["reference", "pruned-60", "pruned-40"], Choose(all, 3).Select(f => f.Build.Id));
        Assert.Equal(["reference", "pruned-30", "pruned-60", "pruned-40"], Choose(all, 4).Select(f => f.Build.Id));
    }

    [Fact]
    public void FloatIsKeptBesideFasterBytesUnlessBoardsWereMeasured()
    {
        List<Finalist> all = [Of("reference", 10, 0.90), Of("pruned-50", 3, 0.89), Of("pruned-50-int8", 1, 0.89, precision: Precision.Int8)];
        Assert.Equal(3, Choose(all, 8).Count);
        Assert.Equal(["reference", "pruned-50-int8"], Finalist.Choose(all, SearchObjective.Latency, 8, boardsAreKnown: true).Select(f => f.Build.Id));
    }

    [Fact]
    public void WhereTheFleetIsSlowOnBytesTheirFloatFormIsChosen()
    {
        List<Finalist> all = [Of("reference", 10, 0.90), Of("pruned-50", 3, 0.89), Of("pruned-50-int8", 1, 0.89, precision: Precision.Int8) with { FleetTime = new BuildTime(6, 6) }];
        // The size of the file alone keeps it.
        all[2] = all[2] with { Build = all[2].Build with { ByteCount = all[1].Build.ByteCount } };
        Assert.Equal(["reference", "pruned-50"], Finalist.Choose(all, SearchObjective.Latency, 8, boardsAreKnown: true).Select(f => f.Build.Id));
    }

    private static IReadOnlyList<Finalist> Choose(IReadOnlyList<Finalist> all, int count) => Finalist.Choose(all, SearchObjective.Latency, count, boardsAreKnown: false);

    internal static Finalist Of(string id, double milliseconds, double top1, LimitAnswer limit = LimitAnswer.Holds, Precision precision = Precision.Fp32)
    {
        var time = new BuildTime(milliseconds, milliseconds);
        var standing = new Standing(new Estimate(top1, top1, top1), limit);
        return new Finalist(new Build(id, id, precision, (long)milliseconds, 1, (long)(1000 * milliseconds), [], 0), standing, time, time);
    }
}
