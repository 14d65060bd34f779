namespace Dunlin.Optimizer.Pruning;

/// <summary>Rounds widths to what kernels compute without waste.</summary>
internal static class WidthSteps
{
    /// <summary>Layers narrower than twice the step are rounded to half of it, and so on.</summary>
    /// <param name="wanted">Channels to keep, 1…width.</param>
    /// <param name="width">Channels that there are.</param>
    /// <param name="step">Of the kernels; 1 means no rounding.</param>
    /// <returns>The nearest multiple, at least one step and at most the width.</returns>
    public static int Round(double wanted, int width, int step)
    {
        while (step > 1 && step * 2 > width) step /= 2;
        var rounded = Math.Max(1, (int)Math.Round(wanted / step, MidpointRounding.AwayFromZero)) * step;
        // A width that is no multiple itself may be kept whole.
        return Math.Min(rounded, width);
    }
}
