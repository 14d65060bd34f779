using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// The learning-rate range test (Smith 2017, "Cyclical learning rates", §3.3): the rate rises from step to step until the loss does, which
/// shows what a network bears. Where normalization was folded into the weights that may be a fiftieth of the usual.
/// </summary>
internal static class RangeTest
{
    public const int StepCount = 32;

    /// <summary>The first and the last rate, in usual ones.</summary>
    private const double Lowest = 1 / 500.0, Highest = 8;

    /// <summary>Of the mean loss from step to step; by how much it has risen when too much was borne; how far below training stays.</summary>
    private const double Memory = 0.7, Rise = 1.5, Margin = 6;

    /// <summary>The peak to train a graph with: the options' learning rate, or less where that would destroy it.</summary>
    /// <param name="trainer">Of these options.</param>
    /// <param name="usual">The options' learning rate.</param>
    /// <param name="graph">Stays as it is.</param>
    /// <param name="cancellationToken">Ends it after a step.</param>
    public static double Peak(Trainer trainer, double usual, ModelGraph graph, CancellationToken cancellationToken) =>
        Peak(usual, rates => trainer.Losses(graph, rates, cancellationToken));

    /// <param name="usual">The most that is of use.</param>
    /// <param name="losses">The loss at each of some rates, one after the other; fewer where it is no number any more.</param>
    public static double Peak(double usual, Func<IReadOnlyList<double>, IReadOnlyList<double>> losses)
    {
        double[] rates = [.. Enumerable.Range(0, StepCount).Select(i => usual * Lowest * Math.Pow(Highest / Lowest, i / (StepCount - 1.0)))];
        var seen = losses(rates);
        var (sum, best) = (0.0, double.PositiveInfinity);
        for (var i = 0; i < rates.Length; i++)
        {
            sum = i < seen.Count ? (Memory * sum) + ((1 - Memory) * seen[i]) : double.PositiveInfinity;
            var mean = sum / (1 - Math.Pow(Memory, i + 1));
            best = Math.Min(best, mean);
            if (!(mean <= Rise * best)) return Math.Min(usual, rates[i] / Margin);
        }

        return usual;
    }
}
