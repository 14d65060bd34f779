using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>
/// Races contenders in interleaved rounds (A B C, C B A) until the preferred one of those that may be the best is known.
/// Each look compares paired log-ratios of whole rounds, so that what slows all of them cancels; a contender leaves once one
/// is surely faster by more than the tie margin, and the race ends once the most preferred is surely within it of all others.
/// </summary>
/// <param name="rules">What for, how surely, how long.</param>
/// <param name="time">The clock of the budget.</param>
/// <param name="isThrottled">Asked around each round; rounds while true do not count. Null: never.</param>
public sealed class RaceController(RaceRules rules, TimeProvider time, Func<bool>? isThrottled = null)
{
    private const int WarmUpRunCount = 2;
    private const int AloneRunCount = 40;

    // Where warming up takes the whole budget, the fastest must still be told from the others.
    private const int LeastRoundCount = 3;
    private readonly Judge _judge = new(rules);

    /// <summary>Races all of them, on the calling thread.</summary>
    /// <exception cref="OperationCanceledException">Cancelled between two visits.</exception>
    public RaceOutcome Race(IReadOnlyList<IContender> contenders, CancellationToken cancellationToken)
    {
        var entrants = contenders.OrderBy(contender => contender.Preference).Select(contender => new Entrant(contender)).ToList();
        var looks = new Looks(rules.Alpha / Math.Max(1, entrants.Count * (entrants.Count - 1)));
        var clock = new RaceClock(time);
        foreach (var entrant in entrants) Try(entrant, () => entrant.WarmUp(WarmUpRunCount), cancellationToken);

        var (rounds, begun) = (0, 0);
        var outOfTime = false;
        while (Racing(entrants) is { Count: > 1 } racing)
        {
            if (begun++ >= LeastRoundCount && clock.HasSpent(rules.Budget))
            {
                outOfTime = true;
                break;
            }

            if (!Round(racing, clock, cancellationToken)) continue;
            rounds++;
            if (looks.IsDue(rounds, out var alpha) && (_judge.Look(racing, alpha) || (rounds >= rules.TieRoundCount && !_judge.WaitsForTails(racing)))) break;
        }

        if (Racing(entrants) is [var alone] && alone.RunCount == 0) RunAlone(alone, clock, cancellationToken);
        return Finish(entrants, outOfTime, JudgedThrottled(entrants), rounds, clock.Elapsed);
    }

    private static List<Entrant> Racing(List<Entrant> entrants) => entrants.FindAll(entrant => entrant.IsRacing);

    /// <summary>What throttles throughout slows all alike: better judged by that than by next to nothing.</summary>
    /// <returns>What the reason says of it.</returns>
    private static string JudgedThrottled(List<Entrant> entrants)
    {
        var racing = Racing(entrants);
        if (racing is [] || !racing.TrueForAll(entrant => entrant is { Scores.Count: < PairedTest.MinimumPairCount, ThrottledRunCount: > 0 })) return "";
        var others = racing[0].Scores.Count;
        foreach (var entrant in racing) entrant.CountThrottled();
        return others == 0 ? " The board throttled throughout." : $" The board throttled in all rounds but {others}.";
    }

    private bool Round(List<Entrant> racing, RaceClock clock, CancellationToken cancellationToken)
    {
        clock.BeginRound();
        var throttled = IsThrottled();
        var whole = true;
        for (var i = 0; i < 2 * racing.Count && whole; i++)
        {
            var entrant = racing[i < racing.Count ? i : 2 * racing.Count - 1 - i];
            whole = Try(entrant, () => entrant.Visit(rules.Objective), cancellationToken);
        }

        throttled |= IsThrottled();
        foreach (var entrant in racing) entrant.EndRound(whole, throttled);
        clock.EndRound();
        return whole && !throttled;
    }

    // A single contender still gets its numbers, which the sustained monitor compares with later.
    private void RunAlone(Entrant alone, RaceClock clock, CancellationToken cancellationToken)
    {
        for (var i = 0; i < AloneRunCount && alone.IsRacing && alone.RunCount < AloneRunCount && (i < LeastRoundCount || !clock.HasSpent(rules.Budget)); i++)
            Round([alone], clock, cancellationToken);
    }

    private static bool Try(Entrant entrant, Action run, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            run();
            return true;
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            entrant.Leave(ContenderOutcome.Failed, "run.failed", $"Left the race: a run failed with {exception.Message}");
            return false;
        }
    }

    private RaceOutcome Finish(List<Entrant> entrants, bool outOfTime, string throttled, int rounds, TimeSpan elapsed)
    {
        var left = Racing(entrants);
        var winner = outOfTime && left.Exists(entrant => entrant.Scores.Count > 0) ? _judge.Estimate(left) : left.FirstOrDefault();
        if (winner is not null) winner.Leave(ContenderOutcome.Won, "won", Why(winner, entrants, outOfTime) + throttled);
        foreach (var entrant in left.Where(entrant => entrant != winner)) LeaveBehind(entrant, winner!);
        return new RaceOutcome(winner?.Id, [.. entrants.Select(EntrantResult.Of)], rounds, outOfTime, elapsed);
    }

    private void LeaveBehind(Entrant entrant, Entrant winner)
    {
        if (entrant.Scores.Count == 0)
            entrant.Leave(ContenderOutcome.Tied, "tied", "No round counted within the budget.");
        else if (_judge.SlowerSentence(entrant, winner) is { } sentence)
            entrant.Leave(ContenderOutcome.Lost, "slower", sentence);
        else
            entrant.Leave(ContenderOutcome.Tied, "tied", $"{entrant.Id}: not surely {rules.TieMargin * 100:0.#} % better than {winner.Id}, which is preferred.");
    }

    private string Why(Entrant winner, List<Entrant> entrants, bool outOfTime)
    {
        var others = entrants.FindAll(entrant => entrant != winner && entrant.Scores.Count > 0);
        if (winner.Scores.Count == 0) return $"{winner.Id} is preferred; no round counted within the budget.";
        if (others.Count == 0) return $"{winner.Id} is the only contender that could race.";
        var next = others.MaxBy(other => other.Scores.Count)!;
        var difference = winner.Scores.Zip(next.Scores, (mine, theirs) => mine - theirs).Average();
        return _judge.Sentence(winner, next, difference) + (outOfTime ? " The budget was spent before that was sure." : "");
    }

    private bool IsThrottled() => isThrottled?.Invoke() ?? false;
}
