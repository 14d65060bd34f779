namespace Dunlin.Optimizer.Evaluation;

/// <summary>
/// The expected calibration error: how far confidence and accuracy are apart, averaged over bins of equal width by how many images
/// fall into each (Naeini, Cooper and Hauskrecht 2015, "Obtaining Well Calibrated Probabilities Using Bayesian Binning"; 15 bins as in
/// Guo, Pleiss, Sun and Weinberger 2017, "On Calibration of Modern Neural Networks").
/// </summary>
internal static class CalibrationError
{
    public const int BinCount = 15;

    /// <returns>0…1; 0.05 means that the model is five points too sure, or too unsure, on average.</returns>
    public static double Of(IReadOnlyList<ImageAnswer> answers)
    {
        ArgumentOutOfRangeException.ThrowIfZero(answers.Count);
        Span<double> excess = stackalloc double[BinCount];
        foreach (var answer in answers)
        {
            // Bin m holds ((m − 1) / 15, m / 15].
            var bin = Math.Clamp((int)Math.Ceiling(answer.Confidence * (double)BinCount) - 1, 0, BinCount - 1);
            excess[bin] += (answer.IsRight ? 1 : 0) - answer.Confidence;
        }

        var sum = 0.0;
        foreach (var difference in excess) sum += Math.Abs(difference);
        return sum / answers.Count;
    }
}
