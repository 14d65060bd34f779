namespace Dunlin.Optimizer.Training;

/// <summary>The one-cycle schedule (Smith and Topin 2017): a linear warm-up to the peak, then a half cosine to zero.</summary>
internal static class OneCycle
{
    private const double WarmUpShare = 0.2;

    /// <param name="peak">The highest learning rate.</param>
    /// <param name="progress">0 at the first step, 1 after the last.</param>
    public static double Rate(double peak, double progress) => progress < WarmUpShare
        ? peak * (0.05 + 0.95 * progress / WarmUpShare)
        : peak * 0.5 * (1 + Math.Cos(Math.PI * (progress - WarmUpShare) / (1 - WarmUpShare)));
}
