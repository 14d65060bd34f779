using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Search;

/// <summary>How much more something costs on a board than here.</summary>
/// <param name="Float">The median over float variants that both measured.</param>
/// <param name="Integer">The same over int8 and mixed variants.</param>
internal readonly record struct PrecisionFactors(double Float, double Integer)
{
    public double For(Precision precision) => IsFloat(precision) ? Float : Integer;

    /// <summary>Null of none. A precision that is not among them gets the other's factor.</summary>
    public static PrecisionFactors? Of(IEnumerable<(Precision Precision, double Factor)> variants)
    {
        var factors = variants.ToLookup(v => IsFloat(v.Precision), v => v.Factor);
        var (inFloat, inBytes) = (Median(factors[true]), Median(factors[false]));
        return (inFloat ?? inBytes) is { } any ? new PrecisionFactors(inFloat ?? any, inBytes ?? any) : null;
    }

    /// <summary>
    /// What a variant costs the fleet: its cost relative to the reference's on each board, averaged over the boards geometrically, so that
    /// a slow board counts as much as a fast one; times the workstation's, so that its unit stays.
    /// </summary>
    public static double Fleet(IReadOnlyList<PrecisionFactors> boards, Precision precision, double own) => boards.Count == 0
        ? own
        : own * Math.Exp(boards.Average(b => Math.Log(b.For(precision) / b.Float)));

    private static bool IsFloat(Precision precision) => precision is Precision.Fp32 or Precision.Fp16;

    private static double? Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        if (sorted.Count == 0) return null;
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
