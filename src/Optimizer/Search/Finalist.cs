using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Search;

/// <summary>A model that may be chosen, with all that was measured of it.</summary>
/// <param name="Build">The model.</param>
/// <param name="Standing">Against the reference, on the images of the search.</param>
/// <param name="Time">Of an inference.</param>
/// <param name="FleetTime">What the fleet's boards would take, in milliseconds of this workstation; its CPU time stands for energy.</param>
internal sealed record Finalist(Build Build, Standing Standing, BuildTime Time, BuildTime FleetTime)
{
    public double Cost(SearchObjective objective) => objective switch
    {
        SearchObjective.Latency => FleetTime.Milliseconds,
        SearchObjective.Energy => FleetTime.CpuMilliseconds,
        SearchObjective.Size => Build.ByteCount,
        _ => throw new ArgumentOutOfRangeException(nameof(objective), objective, "not an objective"),
    };

    /// <summary>
    /// What is worth shipping: the reference and its int8 form in any case; then, of the fronts of accuracy against time, energy and size, those
    /// that hold the limit surely, one that may hold it and is cheaper still, then others that may. Float and bytes have a front each, since which is faster is the board's own
    /// matter, unless verdicts of boards have settled it.
    /// </summary>
    /// <param name="all">The reference first.</param>
    /// <param name="objective">By its cost they are spread.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="boardsAreKnown">Whether the fleet's times are measured.</param>
    public static IReadOnlyList<Finalist> Choose(IReadOnlyList<Finalist> all, SearchObjective objective, int count, bool boardsAreKnown)
    {
        var always = all.Where(f => f.Build.Id is SearchRun.ReferenceId or SearchRun.IntegerReferenceId).ToList();
        var fronts = all.Where(f => f.Standing.Limit != LimitAnswer.Fails)
            .GroupBy(f => boardsAreKnown || f.Build.IsFloat)
            .SelectMany(g => Pareto.Front([.. g], f => [-f.Standing.Top1.Value, f.FleetTime.Milliseconds, f.FleetTime.CpuMilliseconds, f.Build.ByteCount]))
            .Except(always).ToLookup(f => f.Standing.Limit);
        var (sure, unsure, room) = (fronts[LimitAnswer.Holds].ToList(), fronts[LimitAnswer.Unsure].ToList(), count - always.Count);
        // The held-out images will tell.
        var bet = room > 1 ? unsure.Where(f => sure.TrueForAll(s => f.Cost(objective) < s.Cost(objective))).MinBy(f => f.Cost(objective)) : null;
        List<Finalist> chosen = bet is null ? always : [.. always, bet];
        foreach (var front in (List<Finalist>[])[sure, [.. unsure.Where(f => f != bet)]])
            if (count > chosen.Count) chosen.AddRange(Pareto.Spread(front, f => Math.Log(f.Cost(objective)), count - chosen.Count));
        return [.. all.Where(chosen.Contains)];
    }
}
