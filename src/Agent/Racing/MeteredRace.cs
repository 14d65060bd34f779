using System.Globalization;
using Dunlin.Agent.Children;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Racing;

/// <summary>
/// Decides an energy objective by a power meter: each contender that ran in the heat runs alone in blocks, long enough for 50
/// samples of the sensor, in the order A B … B A so that a drift hits all alike. A block with gaps, or under throttling, is
/// repeated once; a contender whose second try is no better is not weighed, and does not win over those that are.
/// </summary>
internal sealed class MeteredRace(HeatRunner heats, EnergyProbe energy, Func<SessionSpec, HeatLimits> limits, TimeProvider time)
{
    private const int SamplesPerBlock = 50;

    /// <summary>Share of a block that readings must enclose.</summary>
    private const double LeastCoverage = 0.9;

    private static readonly TimeSpan ShortestBlock = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProcessTime = TimeSpan.FromSeconds(10);

    /// <returns>The heat's verdict with measured joules and, by them, another winner; as it was if the meter gave nothing, or too little to compare.</returns>
    public async Task<HeatVerdict> WeighAsync(Heat heat, HeatVerdict verdict, CancellationToken cancellationToken)
    {
        // One that misses the deadline is no choice, however thrifty.
        var ran = verdict.Contenders.Where(c => c.LatencyMilliseconds is not null && c.ReasonCode != RaceRules.DeadlineMissed && c.Outcome != ContenderOutcome.Failed)
            .Select(c => c.Contender).ToHashSet();
        var sessions = heat.Sessions.Where(session => ran.Contains(session.Contender)).ToList();
        var totals = sessions.ToDictionary(session => session.Contender, _ => default(Weighed));
        foreach (var session in sessions.Concat(sessions.AsEnumerable().Reverse()))
        {
            var total = totals[session.Contender];
            if (total.Doubt is not null) continue;
            var tried = await BlockAsync(heat, session, cancellationToken);
            if (tried is { Doubt: not null }) tried = await BlockAsync(heat, session, cancellationToken);
            if (tried is not { } block) return verdict;
            totals[session.Contender] = total + block;
        }

        return totals.Count == 0 ? verdict : Decide(heat, verdict, totals);
    }

    private async Task<Weighed?> BlockAsync(Heat heat, SessionSpec session, CancellationToken cancellationToken)
    {
        // What is covered of it has the samples.
        var block = TimeSpan.FromSeconds(Math.Max(ShortestBlock.TotalSeconds, SamplesPerBlock / LeastCoverage / energy.SamplesPerSecond));
        var request = heat with { Sessions = [session], BudgetMilliseconds = (int)block.TotalMilliseconds, JoulesPerCpuSecond = null, Incumbent = null };
        var own = limits(session);
        var wall = block + (own.WallTime > ProcessTime ? own.WallTime : ProcessTime);
        var outcome = await heats.RunAsync(request, own with { WallTime = wall, CpuTime = wall * Environment.ProcessorCount }, cancellationToken);
        if (outcome.Answer is not HeatVerdict { Contenders: [{ RunCount: > 0, LatencyMilliseconds: { } latency } alone], Ran: { } ran }) return null;
        // Loading comes before its runs, and the end of its process after them; the last may overshoot the block by far.
        if (energy.Metered!(Timestamp(ran.BeginNanoseconds), Timestamp(ran.EndNanoseconds)) is not { } metered) return null;
        // Runs fall into gaps as often as into the rest.
        return new Weighed(metered.Joules / metered.Coverage, alone.RunCount, alone.RunCount * latency.P95, metered.Method, metered.Source) { Doubt = DoubtOf(alone, metered) };
    }

    private long Timestamp(long nanoseconds) => (long)((Int128)nanoseconds * time.TimestampFrequency / 1_000_000_000);

    private static string? DoubtOf(ContenderVerdict alone, MeteredJoules metered) =>
        alone.ThrottledRunCount > 0 ? "the board throttled in its block, which was a second try"
        : metered.Coverage < LeastCoverage ? string.Create(CultureInfo.InvariantCulture, $"the meter covered {metered.Coverage * 100:0} % of its block, which was a second try")
        : null;

    /// <summary>
    /// The least cost wins, the incumbent within the tie margin. Fewer than two of several that could be weighed are no
    /// comparison: the heat's winner stays.
    /// </summary>
    /// <param name="heat">Objective, incumbent and margin.</param>
    /// <param name="verdict">Of the heat.</param>
    /// <param name="totals">Of those that ran in blocks; at least one.</param>
    internal static HeatVerdict Decide(Heat heat, HeatVerdict verdict, IReadOnlyDictionary<ContenderId, Weighed> totals)
    {
        double Cost(ContenderVerdict contender) =>
            totals[contender.Contender] is var total && heat.Objective == Objective.Product ? total.JoulesPerRun * total.P95Milliseconds : total.JoulesPerRun;

        var weighed = verdict.Contenders.Where(contender => totals.TryGetValue(contender.Contender, out var total) && total.Doubt is null).ToList();
        if (weighed.Count < Math.Min(2, totals.Count)) return AsTheHeatSaid(verdict, totals);
        var best = weighed.MinBy(Cost)!;
        if (weighed.FirstOrDefault(contender => contender.Contender == heat.Incumbent) is { } incumbent && Cost(best) > Cost(incumbent) * (1 - heat.TieMargin))
            best = incumbent;
        var least = totals[best.Contender];
        var reason = string.Create(CultureInfo.InvariantCulture,
            $"{best.Contender}: {least.JoulesPerRun * 1000:0.00} mJ per inference {MethodOf(least)}, the least of {weighed.Count} contenders.");
        return verdict with { Winner = best.Contender, Reason = reason, Contenders = [.. verdict.Contenders.Select(Judged)] };

        ContenderVerdict Judged(ContenderVerdict contender)
        {
            if (!totals.TryGetValue(contender.Contender, out var total)) return contender;
            if (total.Doubt is { } doubt)
                return contender with { Energy = null, Outcome = ContenderOutcome.Lost, ReasonCode = "not-weighed", Reason = $"{contender.Contender}: not weighed, since {doubt}." };
            return contender with
            {
                Energy = new JoulesPerInference(total.JoulesPerRun, total.Method, total.Source),
                Outcome = contender == best ? ContenderOutcome.Won : ContenderOutcome.Lost,
                ReasonCode = contender == best ? "won" : "more-energy",
                Reason = contender == best ? reason : string.Create(CultureInfo.InvariantCulture,
                    $"{contender.Contender}: {total.JoulesPerRun * 1000:0.00} mJ per inference {MethodOf(total)}, {Cost(contender) / Cost(best):0.00} × the winner's cost."),
            };
        }
    }

    private static HeatVerdict AsTheHeatSaid(HeatVerdict verdict, IReadOnlyDictionary<ContenderId, Weighed> totals) => verdict with
    {
        Contenders =
        [
            .. verdict.Contenders.Select(contender => totals.GetValueOrDefault(contender.Contender).Doubt is { } doubt
                ? contender with { Reason = $"{contender.Reason.TrimEnd('.')}; not weighed, since {doubt}." }
                : contender),
        ],
    };

    private static string MethodOf(Weighed total) => total.Method == EnergyMethod.Derived ? "derived" : "measured";
}

/// <summary>What a contender used in its blocks, and what measured it.</summary>
/// <param name="Joules">Of all its runs.</param>
/// <param name="Runs">In its blocks; those of the heat, which may be few, are not among them.</param>
/// <param name="P95Sum">Milliseconds of each block's p95, for each of its runs.</param>
/// <param name="Method">Measured or derived.</param>
/// <param name="Source">For example <c>ina219</c>.</param>
internal readonly record struct Weighed(double Joules, int Runs, double P95Sum, EnergyMethod Method, string Source)
{
    public double JoulesPerRun => Joules / Runs;
    public double P95Milliseconds => P95Sum / Runs;

    /// <summary>Why the joules are not to be believed, as the end of a sentence; null if they are.</summary>
    public string? Doubt { get; init; }

    /// <summary>With one block more.</summary>
    public static Weighed operator +(Weighed total, Weighed block) =>
        block with { Joules = total.Joules + block.Joules, Runs = total.Runs + block.Runs, P95Sum = total.P95Sum + block.P95Sum };
}
