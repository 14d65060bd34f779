using System.Globalization;
using Dunlin.Contracts.Race;
using MathNet.Numerics.Distributions;

namespace Dunlin.Runtime.Racing;

/// <summary>What one look at a race says: who leaves, and whether it is decided.</summary>
internal sealed class Judge(RaceRules rules)
{
    // The observed p95 may veto what the centres say, from this many runs and this much time on: what makes a tail comes in
    // spells, and a hundred runs of a fast model see none. Nobody leaves before, and nothing is decided, unless the centres
    // are so far apart (a quarter) that the tails of a working model do not turn them round. Those of a fast model do: an
    // interrupt is long beside its run; and its tail costs so little that it is waited for.
    private const int TailRunCount = 100;
    private const double TailNanoseconds = 0.2e9;
    private const double FastNanoseconds = 1e6;
    private static readonly double FarApart = Math.Log(1.25);

    // A deadline is missed if more than one run in twenty is late.
    private const double LateShare = 0.05;
    private const int DeadlineRunCount = 20;

    private readonly double _margin = -Math.Log(1 - rules.TieMargin);

    /// <param name="racing">The most preferred first, all with the same number of rounds.</param>
    /// <param name="alpha">What this look may spend per comparison.</param>
    /// <returns>True if the race is decided: the first that is left has won.</returns>
    public bool Look(IReadOnlyList<Entrant> racing, double alpha)
    {
        // Centres and tails share what the look may spend.
        var quantile = PairedTest.Quantile(racing[0].Scores.Count, alpha / 2);
        DropThoseThatMissTheDeadline(racing, alpha);
        foreach (var slow in racing)
        {
            foreach (var fast in racing)
            {
                if (slow == fast || !slow.IsRacing || !fast.IsRacing || (IsLate(fast) && !IsLate(slow))) continue;
                var (centre, error) = Compare(slow, fast);
                if (centre - quantile * error > _margin && TailAgrees(fast, slow, centre - quantile * error))
                    slow.Leave(ContenderOutcome.Lost, "slower", Sentence(slow, fast, centre));
                else if (HasSurelyWorseTail(slow, fast, alpha / 4))
                    slow.Leave(ContenderOutcome.Lost, "slower.tail", TailSentence(slow, fast));
            }
        }

        var left = racing.Where(entrant => entrant.IsRacing).ToList();
        return left.Count == 1 || (!IsLate(left[0]) && left.Skip(1).All(other =>
        {
            var (centre, error) = Compare(left[0], other);
            return centre + quantile * error < _margin && TailAgrees(left[0], other, -centre - quantile * error);
        }));
    }

    /// <summary>Whether one that still races is so fast that only tails can decide, and they are not known yet.</summary>
    public bool WaitsForTails(IReadOnlyList<Entrant> racing)
    {
        var left = racing.Where(entrant => entrant.IsRacing).ToList();
        return rules.Objective == Objective.Latency && left.Exists(IsFast) && !left.TrueForAll(KnowsTail);
    }

    /// <summary>Out of time: the most preferred of those whose estimate is within the margin of the best estimate.</summary>
    public Entrant Estimate(IReadOnlyList<Entrant> left)
    {
        var candidates = left.Any(entrant => !IsLate(entrant)) ? left.Where(entrant => !IsLate(entrant)).ToList() : [.. left];
        var byTail = rules.Objective == Objective.Latency && candidates.TrueForAll(KnowsTail);
        var estimates = candidates.ConvertAll(entrant => byTail ? Math.Log(entrant.Tail!.P95) : Compare(entrant, candidates[0]).Centre);
        var best = estimates.Min();
        return candidates[estimates.FindIndex(estimate => estimate <= best + _margin)];
    }

    /// <summary>By how much it is slower than the winner, as far as the race went; null within the tie margin.</summary>
    public string? SlowerSentence(Entrant entrant, Entrant winner) =>
        Compare(entrant, winner).Centre is var centre && centre > _margin ? Sentence(entrant, winner, centre) : null;

    /// <summary>For example: mobilenet-int8 on CPUExecutionProvider, 1 thread: p95 1.60 ms, 2.20 × faster than …</summary>
    public string Sentence(Entrant subject, Entrant other, double difference)
    {
        var (better, worse) = rules.Objective switch
        {
            Objective.Latency => ("faster than", "slower than"),
            Objective.Energy => ("less CPU time than", "more CPU time than"),
            _ => ("less CPU time × latency than", "more CPU time × latency than"),
        };
        return string.Create(CultureInfo.InvariantCulture,
            $"{subject.Id}: p95 {subject.Tail!.P95 / 1e6:0.00} ms, {Math.Exp(Math.Abs(difference)):0.00} × {(difference < 0 ? better : worse)} {other.Id}.");
    }

    private static string TailSentence(Entrant slow, Entrant fast) => string.Create(CultureInfo.InvariantCulture,
        $"{slow.Id}: p95 {slow.Tail!.P95 / 1e6:0.00} ms where {fast.Id} has {fast.Tail!.P95 / 1e6:0.00} ms, whatever their medians.");

    // One run in twenty may be late; more of them than chance explains, and another that keeps the deadline, mean that this one misses it.
    private void DropThoseThatMissTheDeadline(IReadOnlyList<Entrant> racing, double alpha)
    {
        if (rules.DeadlineMilliseconds is not { } deadline || !racing.Any(entrant => entrant.RunCount >= DeadlineRunCount && !IsLate(entrant))) return;
        foreach (var entrant in racing)
        {
            var late = entrant.Tail!.CountAbove(deadline * 1e6);
            if (!IsLate(entrant) || 1 - Binomial.CDF(LateShare, entrant.RunCount, late - 1) >= alpha) continue;
            entrant.Leave(ContenderOutcome.Lost, RaceRules.DeadlineMissed, string.Create(CultureInfo.InvariantCulture,
                $"{entrant.Id} missed the deadline of {deadline:0.###} ms in {late} of {entrant.RunCount} runs."));
        }
    }

    private bool IsLate(Entrant entrant) =>
        rules.DeadlineMilliseconds is { } deadline && entrant.Tail is { } tail && tail.CountAbove(deadline * 1e6) > LateShare * tail.Count;

    private static (double Centre, double Error) Compare(Entrant slow, Entrant fast)
    {
        var count = slow.Scores.Count;
        var differences = count <= 512 ? stackalloc double[count] : new double[count];
        for (var i = 0; i < count; i++) differences[i] = slow.Scores[i] - fast.Scores[i];
        return PairedTest.Estimate(differences);
    }

    // atLeast: by how much, in logarithms, the centres surely differ.
    private bool TailAgrees(Entrant fast, Entrant slow, double atLeast) => rules.Objective != Objective.Latency || (KnowsTail(fast) && KnowsTail(slow)
        ? !HasWorseTail(fast, slow)
        : atLeast > FarApart && !IsFast(fast));

    private static bool IsFast(Entrant entrant) => entrant.RunNanoseconds <= FastNanoseconds * entrant.RunCount;

    private static bool KnowsTail(Entrant entrant) => entrant.RunCount >= TailRunCount && entrant.RunNanoseconds >= TailNanoseconds;

    private bool HasWorseTail(Entrant fast, Entrant slow) => rules.Objective == Objective.Latency
        && KnowsTail(fast) && KnowsTail(slow) && fast.Tail!.P95 > slow.Tail!.P95 / (1 - rules.TieMargin);

    private bool HasSurelyWorseTail(Entrant slow, Entrant fast, double alpha) => HasWorseTail(slow, fast)
        && slow.Tail!.Bounds(alpha).Low > fast.Tail!.Bounds(alpha).High / (1 - rules.TieMargin);
}
