using System.Globalization;
using Dunlin.Agent.Children;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Racing;

/// <summary>
/// Decides an energy objective by a power meter: each contender that ran in the heat runs alone in blocks, long enough for 50
/// samples of the sensor, in the order A B … B A so that a drift hits all alike.
/// </summary>
internal sealed class MeteredRace(HeatRunner heats, EnergyProbe energy, TimeProvider time)
{
    private const int SamplesPerBlock = 50;
    private static readonly TimeSpan ShortestBlock = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProcessTime = TimeSpan.FromSeconds(10);

    /// <returns>The heat's verdict with measured joules and, by them, another winner; unchanged if the meter gave nothing.</returns>
    public async Task<HeatVerdict> WeighAsync(Heat heat, HeatVerdict verdict, CancellationToken cancellationToken)
    {
        // One that misses the deadline is no choice, however thrifty.
        var ran = verdict.Contenders.Where(c => c.LatencyMilliseconds is not null && c.ReasonCode != RaceRules.DeadlineMissed && c.Outcome != ContenderOutcome.Failed)
            .Select(c => c.Contender).ToHashSet();
        var sessions = heat.Sessions.Where(session => ran.Contains(session.Contender)).ToList();
        var totals = sessions.ToDictionary(session => session.Contender, _ => default(Weighed));
        foreach (var session in sessions.Concat(sessions.AsEnumerable().Reverse()))
        {
            if (await BlockAsync(heat, session, cancellationToken) is not { } block) return verdict;
            var total = totals[session.Contender];
            totals[session.Contender] = block with { Joules = total.Joules + block.Joules, Runs = total.Runs + block.Runs };
        }

        return totals.Count == 0 ? verdict : Decide(heat, verdict, totals);
    }

    private async Task<Weighed?> BlockAsync(Heat heat, SessionSpec session, CancellationToken cancellationToken)
    {
        var block = TimeSpan.FromSeconds(Math.Max(ShortestBlock.TotalSeconds, SamplesPerBlock / energy.SamplesPerSecond));
        var request = heat with { Sessions = [session], BudgetMilliseconds = (int)block.TotalMilliseconds, JoulesPerCpuSecond = null, Incumbent = null };
        var outcome = await heats.RunAsync(request, new HeatLimits { WallTime = block + ProcessTime, CpuTime = (block + ProcessTime) * Environment.ProcessorCount }, cancellationToken);
        var end = time.GetTimestamp();
        if (outcome.Answer is not HeatVerdict { Contenders: [{ RunCount: > 0 } alone] }) return null;
        // The runs end with the block; loading comes before it and is not weighed.
        var start = end - (long)(block.TotalSeconds * time.TimestampFrequency);
        return energy.Metered!(start, end) is { } metered ? new Weighed(metered.Joules, alone.RunCount, metered.Method, metered.Source) : null;
    }

    /// <summary>The least cost wins, the incumbent within the tie margin.</summary>
    /// <param name="heat">Objective, incumbent and margin.</param>
    /// <param name="verdict">Of the heat.</param>
    /// <param name="totals">Of those that were weighed; at least one.</param>
    internal static HeatVerdict Decide(Heat heat, HeatVerdict verdict, IReadOnlyDictionary<ContenderId, Weighed> totals)
    {
        double Cost(ContenderVerdict contender) =>
            totals[contender.Contender].JoulesPerRun * (heat.Objective == Objective.Product ? contender.LatencyMilliseconds!.P95 : 1);

        static string MethodOf(Weighed total) => total.Method == EnergyMethod.Derived ? "derived" : "measured";

        var weighed = verdict.Contenders.Where(contender => totals.ContainsKey(contender.Contender)).ToList();
        var best = weighed.MinBy(Cost)!;
        if (weighed.FirstOrDefault(contender => contender.Contender == heat.Incumbent) is { } incumbent && Cost(best) > Cost(incumbent) * (1 - heat.TieMargin))
            best = incumbent;
        var reason = string.Create(CultureInfo.InvariantCulture,
            $"{best.Contender}: {totals[best.Contender].JoulesPerRun * 1000:0.00} mJ per inference {MethodOf(totals[best.Contender])}, the least of {weighed.Count} contenders.");
        return verdict with
        {
            Winner = best.Contender,
            Reason = reason,
            Contenders =
            [
                .. verdict.Contenders.Select(contender => !totals.TryGetValue(contender.Contender, out var total) ? contender : contender with
                {
                    Energy = new JoulesPerInference(total.JoulesPerRun, total.Method, total.Source),
                    Outcome = contender == best ? ContenderOutcome.Won : ContenderOutcome.Lost,
                    ReasonCode = contender == best ? "won" : "more-energy",
                    Reason = contender == best ? reason : string.Create(CultureInfo.InvariantCulture,
                        $"{contender.Contender}: {total.JoulesPerRun * 1000:0.00} mJ per inference {MethodOf(total)}, {Cost(contender) / Cost(best):0.00} × the winner's cost."),
                }),
            ],
        };
    }
}

/// <summary>What a contender used in its blocks, and what measured it.</summary>
internal readonly record struct Weighed(double Joules, int Runs, EnergyMethod Method, string Source)
{
    public double JoulesPerRun => Joules / Runs;
}
