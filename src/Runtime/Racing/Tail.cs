using Dunlin.Contracts.Messages;
using MathNet.Numerics.Distributions;

namespace Dunlin.Runtime.Racing;

/// <summary>The upper end of a set of latencies; distribution-free.</summary>
internal sealed class Tail
{
    private const double Share = 0.95;
    private readonly double[] _sorted;

    /// <param name="nanoseconds">In any order; at least one.</param>
    public Tail(IEnumerable<double> nanoseconds)
    {
        _sorted = [.. nanoseconds];
        Array.Sort(_sorted);
    }

    public int Count => _sorted.Length;
    public double P95 => Rank(Share);

    /// <summary>Nearest-rank percentiles in milliseconds.</summary>
    public Percentiles Milliseconds => new(Rank(0.50) / 1e6, P95 / 1e6, Rank(0.99) / 1e6, _sorted[^1] / 1e6);

    /// <summary>
    /// Order statistics around the 95th percentile, each missed with at most this probability: the number of samples below
    /// the true one is Binomial(n, 0.95). The upper one is infinite while there are too few samples.
    /// </summary>
    public (double Low, double High) Bounds(double alpha)
    {
        var low = Search(index => Binomial.CDF(Share, Count, index) > alpha);
        var high = Search(index => 1 - Binomial.CDF(Share, Count, index) <= alpha) + 1;
        return (low == 0 ? 0 : _sorted[low - 1], high >= Count ? double.PositiveInfinity : _sorted[high]);
    }

    public int CountAbove(double nanoseconds) => _sorted.Count(latency => latency > nanoseconds);

    private int Search(Func<int, bool> holds)
    {
        int from = 0, to = Count;
        while (from < to)
        {
            var middle = (from + to) / 2;
            if (holds(middle)) to = middle;
            else from = middle + 1;
        }

        return from;
    }

    private double Rank(double share) => _sorted[Math.Max(0, (int)Math.Ceiling(share * Count) - 1)];
}
