namespace Dunlin.Optimizer.Evaluation;

/// <summary>
/// The 95 % percentile interval of a mean over images (Efron and Tibshirani 1993, "An Introduction to the Bootstrap", ch. 13), here of
/// differences between two models on the same images. Where the models never differ it has no width; with few images it is a little narrow.
/// </summary>
internal static class PairedBootstrap
{
    public const int ResampleCount = 2000;

    /// <param name="differences">One an image: 1 if only the model is right, −1 if only the reference is, else 0.</param>
    /// <param name="seed">The same seed gives the same interval.</param>
    public static Estimate MeanOf(ReadOnlySpan<int> differences, int seed)
    {
        ArgumentOutOfRangeException.ThrowIfZero(differences.Length);
        var random = new Random(seed);
        var means = new double[ResampleCount];
        for (var i = 0; i < ResampleCount; i++)
        {
            var sum = 0L;
            for (var j = 0; j < differences.Length; j++) sum += differences[random.Next(differences.Length)];
            means[i] = (double)sum / differences.Length;
        }

        Array.Sort(means);
        var total = 0L;
        foreach (var difference in differences) total += difference;
        return new Estimate((double)total / differences.Length, Quantiles.Of(means, 0.025), Quantiles.Of(means, 0.975));
    }
}
