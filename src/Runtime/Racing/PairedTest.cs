using MathNet.Numerics.Distributions;

namespace Dunlin.Runtime.Racing;

/// <summary>
/// One-sided confidence bounds for the centre of paired differences whose noise is heavy-tailed: Yuen's trimmed mean with
/// its winsorized variance (Yuen 1974, 20 % trimmed from five pairs on), where the variance is moderated by a prior so that
/// three pairs that happen to agree prove little (the moderated t of Smyth 2004).
/// </summary>
internal static class PairedTest
{
    public const int MinimumPairCount = 3;

    // Log-ratios of interleaved rounds scatter by 5 to 20 % on a working board; worth eight pairs.
    private const double PriorDeviation = 0.07;
    private const double PriorDegrees = 8;

    /// <param name="differences">Sorted in place.</param>
    public static (double Centre, double Error) Estimate(Span<double> differences)
    {
        differences.Sort();
        var count = differences.Length;
        var trimmed = TrimmedEachSide(count);
        var kept = count - 2 * trimmed;
        double low = differences[trimmed], high = differences[count - 1 - trimmed];

        double sum = 0, winsorizedSum = 0;
        foreach (var difference in differences[trimmed..^trimmed]) sum += difference;
        winsorizedSum = sum + trimmed * (low + high);
        double squares = 0, winsorizedMean = winsorizedSum / count;
        foreach (var difference in differences)
        {
            var deviation = Math.Clamp(difference, low, high) - winsorizedMean;
            squares += deviation * deviation;
        }

        var variance = squares / (kept - 1);
        var moderated = (PriorDegrees * PriorDeviation * PriorDeviation + (kept - 1) * variance) / (PriorDegrees + kept - 1);
        return (sum / kept, Math.Sqrt(moderated / kept));
    }

    /// <summary>Bound = centre ± this × error, missed with probability <paramref name="alpha"/> on each side.</summary>
    public static double Quantile(int count, double alpha) =>
        -StudentT.InvCDF(0, 1, PriorDegrees + count - 2 * TrimmedEachSide(count) - 1, alpha);

    private static int TrimmedEachSide(int count) => count < 5 ? 0 : (int)(0.2 * count);
}
