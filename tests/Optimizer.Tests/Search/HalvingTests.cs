using CsCheck;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class HalvingTests
{
    private static readonly Halving Halving = new(AccuracyLimit.Default, reference: 0.9);

    private static readonly Gen<List<Trial>> Trials = Gen.Select(Gen.Int[0, 100], Gen.Int[1, 10]).List[1, 24]
        .Select(all => all.Select((t, i) => new Trial(new Candidate((i + 1) / 100.0, PruningScope.Global), t.Item1 / 100.0, 1, t.Item2)).ToList());

    [Fact]
    public void AsManyStayAsThereArePlacesAndNoneThatIsDominatedByOneWhoLeft() => Gen.Select(Trials, Gen.Int[1, 12], Gen.Double[0, 4]).Sample((trials, count, doublings) =>
    {
        var survivors = Halving.Survivors(trials, count, doublings);
        Assert.Equal(Math.Min(count, trials.Count), survivors.Count);
        Assert.All(survivors, s => Assert.DoesNotContain(trials.Except(survivors), left => Pareto.Dominates([-left.Top1, left.Cost], [-s.Top1, s.Cost])));
    });

    [Fact]
    public void TheOrderOfTheTrialsDoesNotMatter() => Gen.Select(Trials, Gen.Int[1, 12]).Sample((trials, count) =>
    {
        // Of equal ones any may stay.
        trials = [.. trials.DistinctBy(t => t.Top1).DistinctBy(t => t.Cost)];
        Assert.Equal(
            Halving.Survivors(trials, count, 2).Select(t => t.Candidate.Id).Order(),
            Halving.Survivors([.. Enumerable.Reverse(trials)], count, 2).Select(t => t.Candidate.Id).Order());
    });

    [Fact]
    public void TheCheapestOfWhomTheLimitCannotBeExpectedLeavesFirst()
    {
        List<Trial> trials = [Of(1, 0.895, 10), Of(2, 0.88, 5), Of(3, 0.3, 1)];
        Assert.Equal(["pruned-01", "pruned-02"], Halving.Survivors(trials, 2, doublings: 2).Select(s => s.Candidate.Id));
    }

    [Fact]
    public void TheLessTrainingIsLeftTheLessIsExpected()
    {
        List<Trial> trials = [Of(1, 0.89, 10), Of(2, 0.86, 5)];
        Assert.Equal("pruned-02", Assert.Single(Halving.Survivors(trials, 1, doublings: 4)).Candidate.Id);
        Assert.Equal("pruned-01", Assert.Single(Halving.Survivors(trials, 1, doublings: 0)).Candidate.Id);
    }

    [Fact]
    public void WhereNobodyIsNearTheLimitTheMostAccurateStay()
    {
        List<Trial> trials = [Of(1, 0.2, 1), Of(2, 0.5, 2), Of(3, 0.4, 9)];
        Assert.Equal(["pruned-02", "pruned-03"], Halving.Survivors(trials, 2, doublings: 0).Select(s => s.Candidate.Id));
    }

    [Fact]
    public void APlanFitsItsBudgetAndLeavesMostOfItForThoseWhoStay() => Gen.Select(Gen.Double[1, 100_000], Gen.Double[0.01, 30], Gen.Double[0, 5], Gen.Int[1, 1000]).Sample((budget, step, trial, epoch) =>
    {
        if (HalvingPlan.Make(budget, step, trial, epoch, 24) is not { } plan)
        {
            Assert.True(budget < 16 * step + trial);
            return;
        }

        var choosing = plan.ChoosingRounds().Sum(r => r.Count * (r.Steps * step + trial));
        Assert.True(choosing <= budget * 0.4 + 1e-9, $"{choosing} of {budget}");
        Assert.InRange(plan.FinalCount, 1, plan.CandidateCount);
    });

    [Fact]
    public void RoundsHalveTheCandidatesAndDoubleTheSteps() =>
        Assert.Equal([(24, 40), (12, 80), (6, 160)], new HalvingPlan(24, 40, 4).ChoosingRounds());

    [Fact]
    public void ASmallBudgetGoesIntoOneCandidate() => Assert.Equal((1, 1), HalvingPlan.Make(100, 1, 5, 400, 24) is { } plan ? (plan.CandidateCount, plan.FinalCount) : default);

    [Fact]
    public void AnyNumberOfTheFirstCandidatesCoversTheRange()
    {
        Assert.Equal(24, Candidate.All.Select(c => c.Id).Distinct().Count());
        var ratios = Candidate.All.Take(8).Select(c => c.Ratio).ToList();
        Assert.True(ratios.Min() <= 0.3 && ratios.Max() >= 0.85);
    }

    private static Trial Of(int percent, double top1, double cost) => new(new Candidate(percent / 100.0, PruningScope.Global), top1, 1, cost);
}
