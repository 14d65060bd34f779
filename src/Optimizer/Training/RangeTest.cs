using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// The learning-rate range test (Smith 2017, "Cyclical learning rates", §3.3): the rate rises from step to step until the loss does, which
/// shows what a network bears. For networks without batch normalization: where it was folded into the weights that may be a fiftieth of the
/// usual, beyond which all is forgotten for good. With it a network learns again what it forgot, and bears the usual.
/// </summary>
internal static class RangeTest
{
    public const int StepCount = 32;

    /// <summary>The first and the last rate, in usual ones.</summary>
    private const double Lowest = 1 / 500.0, Highest = 8;

    /// <summary>Of the mean loss from step to step, which says something after so many, and how far below the rate at which it rises training stays.</summary>
    private const double Memory = 0.7, Margin = 6;

    private const int FirstSteps = 4;

    /// <summary>
    /// What is a rise and no noise: a part of what the network knew at its best, and at least a part of what knowing nothing costs, since a
    /// network that knows nothing has nothing to lose.
    /// </summary>
    private const double KnownShare = 0.25, IgnorantShare = 0.15;

    /// <summary>The peak to train a graph with: the usual one, or less where that would destroy it.</summary>
    /// <param name="trainer">Of the graph.</param>
    /// <param name="usual">The most that is of use.</param>
    /// <param name="graph">Stays as it is.</param>
    /// <param name="cancellationToken">Ends it after a step.</param>
    public static double Peak(Trainer trainer, double usual, ModelGraph graph, CancellationToken cancellationToken) =>
        IsNeeded(graph) ? Peak(usual, rates => trainer.Losses(graph, rates, cancellationToken)) : usual;

    /// <summary>Whether fewer than half of the convolutions are normalized, or nothing is.</summary>
    public static bool IsNeeded(ModelGraph graph)
    {
        var operators = graph.Model.Graph.Node.CountBy(n => n.OpType).ToDictionary();
        var normalized = operators.GetValueOrDefault("BatchNormalization");
        return normalized == 0 || 2 * normalized < operators.GetValueOrDefault("Conv");
    }

    /// <param name="usual">The most that is of use.</param>
    /// <param name="losses">
    /// The loss at each of some rates, one after the other, and that of a network which knows nothing; fewer where it is no number any more.
    /// </param>
    public static double Peak(double usual, Func<IReadOnlyList<double>, IReadOnlyList<(double Loss, double Ignorant)>> losses)
    {
        double[] rates = [.. Enumerable.Range(0, StepCount).Select(i => usual * Lowest * Math.Pow(Highest / Lowest, i / (StepCount - 1.0)))];
        var seen = losses(rates);
        var (sum, best, ignorant) = (0.0, double.PositiveInfinity, seen.Select(s => s.Ignorant).DefaultIfEmpty().Average());
        for (var i = 0; i < seen.Count; i++)
        {
            sum = (Memory * sum) + ((1 - Memory) * seen[i].Loss);
            if (i < FirstSteps) continue;
            var mean = sum / (1 - Math.Pow(Memory, i + 1));
            best = Math.Min(best, mean);
            if (mean > best + Math.Max(KnownShare * (ignorant - best), IgnorantShare * ignorant)) return Math.Min(usual, rates[i] / Margin);
        }

        return seen.Count < rates.Length ? Math.Min(usual, rates[seen.Count] / Margin) : usual;
    }
}
