namespace Dunlin.Optimizer.Search;

/// <summary>How a budget of training is laid out: rounds that choose, then one long round for those who are left.</summary>
/// <param name="CandidateCount">Who begin.</param>
/// <param name="FirstSteps">Of each in the first round; doubled from round to round.</param>
/// <param name="FinalCount">Who are trained with all that is left.</param>
internal sealed record HalvingPlan(int CandidateCount, int FirstSteps, int FinalCount)
{
    /// <summary>Of the budget, for choosing: what is left then makes those who stay as good as they can be.</summary>
    private const double ChoosingShare = 0.4;

    /// <summary>A shorter recovery says little of what a candidate will become.</summary>
    private const int LeastSteps = 16;

    /// <summary>Each of those who stay is to have so many epochs at least, or fewer stay.</summary>
    private const int FinalEpochs = 2;

    private const int MostFinal = 4;

    /// <summary>How many begin each round that chooses; one round more trains <see cref="FinalCount"/>.</summary>
    public IEnumerable<(int Count, int Steps)> ChoosingRounds()
    {
        var (count, steps) = (CandidateCount, FirstSteps);
        for (; count > FinalCount; steps *= Halving.Factor, count = Math.Max(FinalCount, (count + Halving.Factor - 1) / Halving.Factor)) yield return (count, steps);
    }

    /// <summary>As many candidates as the budget allows, and then as long a first round, up to an epoch.</summary>
    /// <param name="budget">For all training, in any unit.</param>
    /// <param name="stepCost">Of a training step of a usual candidate, in the same unit.</param>
    /// <param name="trialCost">Of what else a trial costs: making and measuring it.</param>
    /// <param name="epochSteps">Training steps of an epoch.</param>
    /// <param name="available">Candidates that there are.</param>
    /// <returns>Null if the budget is not even enough for one short recovery.</returns>
    public static HalvingPlan? Make(double budget, double stepCost, double trialCost, int epochSteps, int available)
    {
        var first = Math.Max(LeastSteps, epochSteps / 16);
        if (budget < LeastSteps * stepCost + trialCost || available == 0) return null;
        var most = (int)Math.Clamp((1 - ChoosingShare) * budget / (FinalEpochs * epochSteps * stepCost), 1, MostFinal);
        var count = available;
        while (count > 1 && Of(count, first, most).ChoosingCost(stepCost, trialCost) > budget * ChoosingShare) count--;
        while (count == available && first * 2 <= epochSteps && Of(count, first * 2, most).ChoosingCost(stepCost, trialCost) <= budget * ChoosingShare) first *= 2;
        return Of(count, first, most);
    }

    private static HalvingPlan Of(int count, int first, int most) => new(count, first, Math.Clamp(count / 3, 1, most));

    private double ChoosingCost(double stepCost, double trialCost) => ChoosingRounds().Sum(r => r.Count * (r.Steps * stepCost + trialCost));
}
