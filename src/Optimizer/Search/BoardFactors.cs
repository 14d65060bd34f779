using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;

namespace Dunlin.Optimizer.Search;

/// <summary>How much more a board takes than this workstation, as one of its races showed.</summary>
/// <param name="Board">Its CPU, as the verdict tells it.</param>
/// <param name="Time">Of board's p95 ÷ workstation's median.</param>
/// <param name="Energy">Of board's joules ÷ workstation's CPU time, or of CPU times where it did not tell joules of one method; null where it told neither.</param>
internal sealed record BoardFactors(string Board, PrecisionFactors Time, PrecisionFactors? Energy)
{
    /// <summary>Learns from a verdict; null where no variant of it is known here.</summary>
    /// <param name="verdict">Contenders on one thread count, where there are any; else those on the fewest.</param>
    /// <param name="known">Times on one thread of this workstation, by the variant's id.</param>
    public static BoardFactors? Learn(Verdict verdict, IReadOnlyDictionary<string, (Precision Precision, BuildTime Time)> known)
    {
        var raced = verdict.Contenders
            .Where(c => c.LatencyMilliseconds is { P95: > 0 } && known.ContainsKey(c.Contender.Variant))
            .GroupBy(c => c.Contender.Variant).Select(g => g.MinBy(c => c.Contender.Threads)!).ToList();
        var inJoules = raced.All(c => c.Energy is { Joules: > 0 }) && raced.DistinctBy(c => c.Energy!.Method).Count() == 1;
        double? EnergyOf(ContenderVerdict contender) => inJoules ? contender.Energy!.Joules : contender.CpuMilliseconds;
        PrecisionFactors? Of(Func<ContenderVerdict, double?> board, Func<BuildTime, double> here) => PrecisionFactors.Of(
            raced.Where(c => board(c) > 0).Select(c => (known[c.Contender.Variant].Precision, board(c)!.Value / here(known[c.Contender.Variant].Time))));
        return Of(c => c.LatencyMilliseconds!.P95, t => t.Milliseconds) is { } time
            ? new BoardFactors(verdict.Conditions.CpuModel, time, Of(EnergyOf, t => t.CpuMilliseconds))
            : null;
    }

    /// <summary>What a variant takes on the fleet, in milliseconds of this workstation.</summary>
    public static BuildTime FleetTime(IReadOnlyList<BoardFactors> boards, Precision precision, BuildTime own) => new(
        PrecisionFactors.Fleet([.. boards.Select(b => b.Time)], precision, own.Milliseconds),
        PrecisionFactors.Fleet([.. boards.Select(b => b.Energy).OfType<PrecisionFactors>()], precision, own.CpuMilliseconds));
}
