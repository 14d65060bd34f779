using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Packing;

/// <summary>
/// Floors of the golden check. A device fails a variant if so few hits would come with a probability below 0.01 from a
/// board at the floor; so floors stand where rounding differences between CPUs end and wrong arithmetic begins.
/// </summary>
internal static class FloorChoice
{
    /// <summary>A right board differs from the workstation on this share of samples at most: summation order in float32, saturation and rounding in int8.</summary>
    private const double FloatDisagreement = 0.01, IntegerDisagreement = 0.03;

    /// <summary>What a board may lose in top-1 before it is called wrong.</summary>
    private const double Top1Loss = 0.02;

    // A thousandth that arithmetic made a trifle less is that thousandth.
    private const double Rounding = 1e-9;

    /// <summary>Top-1 below which no device races a variant, in whole thousandths: no more than was asked for, nor than the best variant has, since then none could serve.</summary>
    /// <param name="wanted">What was asked for, 0…1.</param>
    /// <param name="best">Top-1 of the best variant.</param>
    public static double Accuracy(double wanted, double best) => Math.Max(0, Math.Floor((Math.Min(wanted, best) * 1000) + Rounding) / 1000);

    /// <param name="precision">Of the variant.</param>
    /// <param name="correctCount">How many golden samples it got right on the workstation.</param>
    /// <param name="sampleCount">Golden samples.</param>
    public static GoldenFloors For(Precision precision, int correctCount, int sampleCount)
    {
        var disagreement = precision is Precision.Int8 or Precision.Mixed ? IntegerDisagreement : FloatDisagreement;
        return new GoldenFloors
        {
            Agreement = Math.Round(1 - disagreement, 4),
            Top1 = Math.Round(Math.Max(0, (double)correctCount / sampleCount - Top1Loss), 4),
        };
    }
}
