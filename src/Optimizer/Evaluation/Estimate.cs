namespace Dunlin.Optimizer.Evaluation;

/// <summary>A measured share or difference of shares with its 95 % interval; 0.01 is one point.</summary>
internal readonly record struct Estimate(double Value, double Low, double High)
{
    /// <summary>A proportion with Wilson's interval.</summary>
    public static Estimate Of(int successes, int count)
    {
        var interval = WilsonInterval.Of(successes, count);
        return new Estimate((double)successes / count, interval.Low, interval.High);
    }
}
