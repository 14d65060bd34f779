namespace Dunlin.Optimizer.Reporting;

/// <summary>Values along one side of a plot.</summary>
internal sealed class Axis
{
    /// <summary>Values further apart than this are drawn by their logarithms.</summary>
    private const double LogarithmicFrom = 4;

    private readonly bool _isLogarithmic;
    private readonly double _low, _high, _begin, _end;

    private Axis(bool isLogarithmic, double low, double high, double begin, double end) => (_isLogarithmic, _low, _high, _begin, _end) = (isLogarithmic, low, high, begin, end);

    /// <param name="values">That must have room.</param>
    /// <param name="begin">Pixels where the least stands.</param>
    /// <param name="end">Pixels where the greatest stands.</param>
    /// <param name="margin">Room at both ends, as a share of what lies between.</param>
    /// <param name="mayBeLogarithmic">For values above 0.</param>
    public static Axis Over(IReadOnlyList<double> values, double begin, double end, double margin, bool mayBeLogarithmic)
    {
        var (low, high) = (values.Min(), values.Max());
        var isLogarithmic = mayBeLogarithmic && low > 0 && high / low > LogarithmicFrom;
        if (isLogarithmic) (low, high) = (Math.Log10(low), Math.Log10(high));
        var room = margin * (high > low ? high - low : Math.Max(Math.Abs(high), 0.01));
        return new Axis(isLogarithmic, low - room, high + room, begin, end);
    }

    public double At(double value) => _begin + ((_isLogarithmic ? Math.Log10(value) : value) - _low) / (_high - _low) * (_end - _begin);

    /// <summary>Round values, about so many.</summary>
    public IReadOnlyList<double> Ticks(int count) => _isLogarithmic ? LogarithmicTicks(count) : [.. LinearTicks(_low, _high, count)];

    private List<double> LogarithmicTicks(int count)
    {
        List<double> ticks = [];
        foreach (var factors in new double[][] { [1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7] })
        {
            ticks = [.. Enumerable.Range((int)Math.Floor(_low), (int)Math.Ceiling(_high) - (int)Math.Floor(_low) + 1)
                .SelectMany(power => factors.Select(f => f * Math.Pow(10, power))).Where(t => Math.Log10(t) >= _low && Math.Log10(t) <= _high)];
            if (ticks.Count >= count - 1) break;
        }

        return ticks;
    }

    private static IEnumerable<double> LinearTicks(double low, double high, int count)
    {
        var rough = (high - low) / count;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * (rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 };
        // Counted, so that no rounding adds up.
        for (var i = (long)Math.Ceiling(low / step); i * step <= high; i++) yield return i * step;
    }
}
