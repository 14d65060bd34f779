namespace Dunlin.Optimizer.Evaluation;

/// <summary>Quantiles by linear interpolation between the sorted values (type 7 of Hyndman and Fan 1996).</summary>
internal static class Quantiles
{
    /// <param name="sorted">At least one value.</param>
    /// <param name="share">0 for the least, 1 for the greatest.</param>
    public static double Of(ReadOnlySpan<double> sorted, double share)
    {
        ArgumentOutOfRangeException.ThrowIfZero(sorted.Length);
        var at = share * (sorted.Length - 1);
        var below = (int)at;
        return sorted[below] + (at - below) * (sorted[Math.Min(below + 1, sorted.Length - 1)] - sorted[below]);
    }

    public static double Median(IEnumerable<double> values) => Of([.. values.Order()], 0.5);
}
