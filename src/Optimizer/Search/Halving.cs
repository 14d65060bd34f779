using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Search;

/// <summary>A candidate after some training.</summary>
/// <param name="Candidate">Who.</param>
/// <param name="Top1">On the images of the search, 0…1.</param>
/// <param name="Agreement">With the reference on the same, 0…1.</param>
/// <param name="Cost">What an inference costs, in any unit.</param>
internal sealed record Trial(Candidate Candidate, double Top1, double Agreement, double Cost);

/// <summary>
/// Successive halving (Jamieson and Talwalkar 2016) for a whole front: after each round of training, half of the candidates stay and are
/// trained twice as long.
/// </summary>
/// <param name="limit">What is asked for in the end.</param>
/// <param name="reference">Top-1 of the reference on the images of the search.</param>
internal sealed class Halving(AccuracyLimit limit, double reference)
{
    public const int Factor = 2;

    /// <summary>What is left of a loss after twice as much training: a cautious guess, so that a candidate is kept rather than lost.</summary>
    private const double LeftAfterTwice = 0.6;

    /// <summary>
    /// Who stays: first those from whom the limit can still be expected, front after front of accuracy and cost; where a front has more than
    /// there are places, its ends and what lies between them. Places that are left go to the most accurate of the others.
    /// </summary>
    /// <param name="trials">Of the last round.</param>
    /// <param name="count">Places.</param>
    /// <param name="doublings">How many more times the training will be doubled.</param>
    public IReadOnlyList<Trial> Survivors(IReadOnlyList<Trial> trials, int count, double doublings)
    {
        var promising = trials.ToLookup(t => IsPromising(t, doublings));
        var survivors = new List<Trial>();
        foreach (var front in Pareto.Layers([.. promising[true]], t => [-t.Top1, t.Cost]))
        {
            if (survivors.Count == count) break;
            survivors.AddRange(Pareto.Spread(front, t => Math.Log(t.Cost), count - survivors.Count));
        }

        survivors.AddRange(promising[false].OrderByDescending(t => t.Top1).ThenBy(t => t.Cost).Take(count - survivors.Count));
        return [.. trials.Where(survivors.Contains)];
    }

    private bool IsPromising(Trial trial, double doublings)
    {
        var left = Math.Pow(LeftAfterTwice, doublings);
        return limit.Holds(reference, reference - (reference - trial.Top1) * (trial.Top1 < reference ? left : 1), 1 - (1 - trial.Agreement) * left);
    }
}
