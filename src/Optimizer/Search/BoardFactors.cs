using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;

namespace Dunlin.Optimizer.Search;

/// <summary>How much slower than this workstation a board is, in float and in bytes, as one of its races showed.</summary>
/// <param name="Board">Its CPU, as the verdict tells it.</param>
/// <param name="Float">The median of board's p95 ÷ workstation's median over the float variants that both measured.</param>
/// <param name="Integer">The same over int8 and mixed variants.</param>
internal sealed record BoardFactors(string Board, double Float, double Integer)
{
    public double For(Precision precision) => precision is Precision.Int8 or Precision.Mixed ? Integer : Float;

    /// <summary>Learns from a verdict; null where no variant of it is known here. A precision that it did not measure gets the other's factor.</summary>
    /// <param name="verdict">Contenders on one thread count, where there are any; else those on the fewest.</param>
    /// <param name="known">Median milliseconds on one thread of this workstation, by the variant's id.</param>
    public static BoardFactors? Learn(Verdict verdict, IReadOnlyDictionary<string, (Precision Precision, double Milliseconds)> known)
    {
        var factors = verdict.Contenders
            .Where(c => c.LatencyMilliseconds is { P95: > 0 } && known.ContainsKey(c.Contender.Variant))
            .GroupBy(c => c.Contender.Variant).Select(g => g.MinBy(c => c.Contender.Threads)!)
            .ToLookup(c => known[c.Contender.Variant].Precision is Precision.Fp32 or Precision.Fp16, c => c.LatencyMilliseconds!.P95 / known[c.Contender.Variant].Milliseconds);
        var (inFloat, inBytes) = (Median(factors[true]), Median(factors[false]));
        return (inFloat ?? inBytes) is { } any ? new BoardFactors(verdict.Conditions.CpuModel, inFloat ?? any, inBytes ?? any) : null;
    }

    /// <summary>
    /// What a variant costs the fleet: its time relative to the reference's on each board, averaged over the boards geometrically, so that
    /// a slow board counts as much as a fast one; times the workstation's, so that it is milliseconds still.
    /// </summary>
    public static double FleetMilliseconds(IReadOnlyList<BoardFactors> boards, Precision precision, double milliseconds) => boards.Count == 0
        ? milliseconds
        : milliseconds * Math.Exp(boards.Average(b => Math.Log(b.For(precision) / b.Float)));

    private static double? Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        if (sorted.Count == 0) return null;
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
