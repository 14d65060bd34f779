namespace Dunlin.Torture.Results;

/// <summary>How a measured thing grows.</summary>
internal static class Growth
{
    /// <summary>The slope by least squares, per step.</summary>
    /// <param name="values">One of each step.</param>
    public static double PerStep(IReadOnlyList<double> values)
    {
        var (middle, mean) = ((values.Count - 1) / 2.0, values.Average());
        var (above, below) = (0.0, 0.0);
        for (var i = 0; i < values.Count; i++)
        {
            above += (i - middle) * (values[i] - mean);
            below += (i - middle) * (i - middle);
        }

        return above / below;
    }
}
