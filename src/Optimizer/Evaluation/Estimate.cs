namespace Dunlin.Optimizer.Evaluation;

/// <summary>A measured share or difference of shares with its 95 % interval; 0.01 is one point.</summary>
internal readonly record struct Estimate(double Value, double Low, double High)
{
    // The 97.5 % point of the normal distribution.
    private const double Z = 1.959963984540054;

    /// <summary>A proportion with its score interval (Wilson 1927).</summary>
    public static Estimate Of(int successes, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(successes, count);
        var share = (double)successes / count;
        var z2 = Z * Z / count;
        var centre = (share + z2 / 2) / (1 + z2);
        var half = Z / (1 + z2) * Math.Sqrt(share * (1 - share) / count + z2 / (4.0 * count));
        // Of none and of all, rounding would leave the share itself outside, which no manifest may say.
        return new Estimate(share, Math.Clamp(centre - half, 0, share), Math.Clamp(centre + half, share, 1));
    }
}
