namespace Dunlin.Bench.Measuring;

/// <summary>Some measurements of one thing: the median, and from the lowest to the highest.</summary>
internal readonly record struct Sample(double Median, double Low, double High, int Count)
{
    public static Sample Of(IEnumerable<double> values)
    {
        var sorted = values.Order().ToArray();
        if (sorted.Length == 0) throw new ArgumentException("There is nothing to take the median of.", nameof(values));
        var middle = sorted.Length / 2;
        var median = sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Sample(median, sorted[0], sorted[^1], sorted.Length);
    }

    /// <summary>The quotients of measurements that were made side by side.</summary>
    public static Sample Ratio(IEnumerable<double> numerators, IEnumerable<double> denominators) =>
        Of(numerators.Zip(denominators, (n, d) => n / d));
}
