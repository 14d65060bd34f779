using System.Globalization;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>What a limit holds against its bound.</summary>
internal enum LimitedMeasure
{
    /// <summary>Top-1 minus the reference's.</summary>
    Top1Change,

    /// <summary>Top-1 itself.</summary>
    Top1,

    /// <summary>The share of images with the reference's answer.</summary>
    Agreement,
}

/// <summary>Whether a limit holds, as far as the images tell.</summary>
internal enum LimitAnswer
{
    Fails,

    /// <summary>The measured value holds it; the lower end of its interval does not.</summary>
    Unsure,

    Holds,
}

/// <summary>How accurate a smaller model must be, as <c>--limit</c> says it.</summary>
/// <param name="Measure">Of what.</param>
/// <param name="Bound">The least of it; shares, so that −0.01 is one point lost.</param>
internal sealed record AccuracyLimit(LimitedMeasure Measure, double Bound)
{
    public static readonly AccuracyLimit Default = new(LimitedMeasure.Top1Change, -0.01);

    private const string Rule = "write top1>=-1.0pt (points that may be lost against the reference), top1>=0.915 or agreement>=99 (percent of images with the reference's answer)";

    // What is a hundredth more by rounding alone must not fail.
    private const double Rounding = 1e-9;

    /// <summary><c>top1>=-1.0pt</c> or shorter <c>-1.0pt</c>, <c>top1>=0.915</c>, <c>agreement>=99</c>.</summary>
    /// <exception cref="FormatException">It is no limit.</exception>
    public static AccuracyLimit Parse(string text)
    {
        var compact = text.Replace(" ", "", StringComparison.Ordinal);
        var top1 = compact.StartsWith("top1>=", StringComparison.Ordinal) ? compact[6..] : null;
        if (compact.EndsWith("pt", StringComparison.Ordinal) && Number((top1 ?? compact)[..^2]) is <= 0 and >= -100 and var points) return new AccuracyLimit(LimitedMeasure.Top1Change, points / 100);
        if (top1 is not null && Number(top1) is >= 0 and <= 1 and var share) return new AccuracyLimit(LimitedMeasure.Top1, share);
        if (compact.StartsWith("agreement>=", StringComparison.Ordinal) && Number(compact[11..].TrimEnd('%')) is >= 0 and <= 100 and var percent) return new AccuracyLimit(LimitedMeasure.Agreement, percent / 100);
        throw new FormatException($"--limit is '{text}'; {Rule}.");
    }

    /// <summary>By what was measured, without regard to its interval.</summary>
    public bool Holds(double reference, double top1, double agreement) => Of(top1 - reference, top1, agreement) >= Bound - Rounding;

    /// <summary>With regard to the intervals.</summary>
    /// <param name="change">Against the reference.</param>
    /// <param name="top1">Of the model.</param>
    /// <param name="agreement">With the reference.</param>
    public LimitAnswer Judge(Estimate change, Estimate top1, Estimate agreement)
    {
        var measured = Of(change, top1, agreement);
        if (measured.Value < Bound - Rounding) return LimitAnswer.Fails;
        return measured.Low >= Bound - Rounding ? LimitAnswer.Holds : LimitAnswer.Unsure;
    }

    /// <summary>The top-1 that the limit asks of a model; of one that must agree, what it has if every other answer is wrong.</summary>
    /// <param name="reference">Top-1 of the reference, 0…1.</param>
    public double Floor(double reference) => Math.Clamp(Of(reference + Bound, Bound, reference - (1 - Bound)), 0, 1);

    public override string ToString() => Measure switch
    {
        LimitedMeasure.Top1Change => string.Create(CultureInfo.InvariantCulture, $"top1>={Bound * 100:0.0##}pt"),
        LimitedMeasure.Top1 => string.Create(CultureInfo.InvariantCulture, $"top1>={Bound:0.0###}"),
        LimitedMeasure.Agreement => string.Create(CultureInfo.InvariantCulture, $"agreement>={Bound * 100:0.##}"),
        _ => throw new InvalidOperationException($"{Measure} is no measure."),
    };

    private T Of<T>(T change, T top1, T agreement) => Measure switch
    {
        LimitedMeasure.Top1Change => change,
        LimitedMeasure.Top1 => top1,
        LimitedMeasure.Agreement => agreement,
        _ => throw new InvalidOperationException($"{Measure} is no measure."),
    };

    private static double Number(string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) ? value : double.NaN;
}
