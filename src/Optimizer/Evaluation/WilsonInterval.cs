namespace Dunlin.Optimizer.Evaluation;

/// <summary>The 95 % score interval of a proportion (Wilson 1927).</summary>
internal readonly record struct WilsonInterval(double Low, double High)
{
    // The 97.5 % point of the normal distribution.
    private const double Z = 1.959963984540054;

    public static WilsonInterval Of(int successes, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, count);
        var share = (double)successes / count;
        var z2 = Z * Z / count;
        var centre = (share + z2 / 2) / (1 + z2);
        var half = Z / (1 + z2) * Math.Sqrt(share * (1 - share) / count + z2 / (4.0 * count));
        // Of none and of all, rounding would leave the share itself outside, which no manifest may say.
        return new WilsonInterval(Math.Clamp(centre - half, 0, share), Math.Clamp(centre + half, share, 1));
    }
}
