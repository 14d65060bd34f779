using Dunlin.Contracts.Race;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Racing;

/// <summary>
/// A whole race: first the variants, each on its fewest threads, in waves if they do not fit into memory together; then the
/// thread counts of the variant that won, since those depend on load. With a deadline and another objective than
/// latency all meet at once: the thriftiest variant may need threads to keep it. All stages share one error rate.
/// </summary>
/// <param name="rules">For all stages together.</param>
/// <param name="time">The clock of the budget.</param>
/// <param name="isThrottled">As for <see cref="RaceController"/>.</param>
public sealed class StagedRace(RaceRules rules, TimeProvider time, Func<bool>? isThrottled = null)
{
    // More threads must earn their cores at once: a gain that four rounds do not show, the next load takes away again.
    // A gain of models so fast that only tails can show it is waited for: some 0.2 s each.
    private const int ThreadRoundCount = 4;

    private readonly Dictionary<ContenderId, EntrantResult> _results = [];

    /// <param name="entries">The most preferred first.</param>
    /// <param name="memoryByteCount">What the sessions may take together; null: no limit.</param>
    /// <param name="open">Makes a contender of an entry, with its index as preference; disposed after its stage if it is disposable.</param>
    /// <param name="cancellationToken">Ends the race between two visits.</param>
    public RaceOutcome Run(IReadOnlyList<StagedEntry> entries, long? memoryByteCount, Func<int, IContender> open, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        var staged = rules.Objective == Objective.Latency || rules.DeadlineMilliseconds is null;
        var first = staged ? FewestThreads(entries) : [.. Enumerable.Range(0, entries.Count)];
        var waves = Waves.Plan([.. first.Select(index => entries[index].ByteCount)], memoryByteCount);
        var alpha = rules.Alpha / (waves.Count + (staged ? 1 : 0));
        var outcome = default(RaceOutcome);
        var rounds = 0;
        var outOfTime = false;
        int? winner = null;

        foreach (var wave in waves)
        {
            int[] field = [.. wave.Select(position => first[position])];
            if (winner is { } carried) field = [carried, .. field];
            Stage(field, staged ? null : rules.DeadlineMilliseconds, waves.Count + (staged ? 1 : 0));
        }

        if (staged && winner is { } best)
        {
            var threads = Enumerable.Range(0, entries.Count).Where(index => IsSameVariant(entries[index], entries[best])).ToArray();
            if (threads.Length > 1) Stage(threads, rules.DeadlineMilliseconds, 1, rules.DeadlineMilliseconds is null ? ThreadRoundCount : int.MaxValue);
        }

        var results = entries.Select(entry => _results.GetValueOrDefault(entry.Id) ?? NotRaced(entry, winner is { } index ? entries[index] : null));
        return new RaceOutcome(winner is { } won ? entries[won].Id : null, [.. results], rounds, outOfTime, time.GetElapsedTime(start));

        void Stage(int[] field, double? deadline, int stagesLeft, int tieRoundCount = int.MaxValue)
        {
            var budget = rules.Budget - time.GetElapsedTime(start);
            // An early stage that cannot decide leaves time for the next.
            var share = rules with { Alpha = alpha, DeadlineMilliseconds = deadline, TieRoundCount = tieRoundCount, Budget = stagesLeft > 1 ? budget * 0.7 : budget };
            outcome = Race(entries, field, share, open, cancellationToken);
            rounds += outcome.RoundCount;
            outOfTime |= outcome.OutOfTime;
            foreach (var result in outcome.Results) _results[result.Id] = Told(result, _results.GetValueOrDefault(result.Id));
            winner = outcome.Winner is { } id ? Enumerable.Range(0, entries.Count).First(index => entries[index].Id == id) : null;
        }
    }

    private RaceOutcome Race(IReadOnlyList<StagedEntry> entries, int[] field, RaceRules stage, Func<int, IContender> open, CancellationToken cancellationToken)
    {
        var contenders = new List<IContender>();
        var failed = new List<EntrantResult>();
        try
        {
            foreach (var index in field)
            {
                try
                {
                    contenders.Add(open(index));
                }
                catch (ModelLoadException exception)
                {
                    failed.Add(Left(entries[index], ContenderOutcome.Failed, exception.Code, exception.Message));
                }
            }

            var outcome = new RaceController(stage, time, isThrottled).Race(contenders, cancellationToken);
            return outcome with { Results = [.. outcome.Results, .. failed] };
        }
        finally
        {
            foreach (var contender in contenders) (contender as IDisposable)?.Dispose();
        }
    }

    // The stage of the threads is short: the latencies of who ran longer before it say more.
    private static EntrantResult Told(EntrantResult last, EntrantResult? before) => last.LatencyMilliseconds is null || before is null || before.RunCount <= last.RunCount ? last : last with
    {
        RunCount = before.RunCount,
        ThrottledRunCount = before.ThrottledRunCount,
        LatencyMilliseconds = before.LatencyMilliseconds,
        CpuMilliseconds = before.CpuMilliseconds,
    };

    private static int[] FewestThreads(IReadOnlyList<StagedEntry> entries) =>
    [
        .. Enumerable.Range(0, entries.Count)
            .GroupBy(index => (entries[index].Id.Variant, entries[index].Id.ExecutionProvider))
            .Select(group => group.MinBy(index => entries[index].Id.Threads)),
    ];

    private static bool IsSameVariant(StagedEntry one, StagedEntry other) =>
        one.Id.Variant == other.Id.Variant && one.Id.ExecutionProvider == other.Id.ExecutionProvider;

    private static EntrantResult NotRaced(StagedEntry entry, StagedEntry? winner) => winner is null
        ? Left(entry, ContenderOutcome.Failed, "variant.failed", $"Not raced: '{entry.Id.Variant}' failed on fewer threads.")
        : Left(entry, ContenderOutcome.Lost, "variant.lost", $"Not raced: '{entry.Id.Variant}' lost to '{winner.Id.Variant}' on fewer threads.");

    private static EntrantResult Left(StagedEntry entry, ContenderOutcome outcome, string code, string reason) => new()
    {
        Id = entry.Id,
        Outcome = outcome,
        ReasonCode = code,
        Reason = reason,
        RunCount = 0,
        ThrottledRunCount = 0,
    };
}

/// <summary>What is to be raced.</summary>
/// <param name="Id">Unique in a race.</param>
/// <param name="ByteCount">Memory of its session, estimated.</param>
public sealed record StagedEntry(ContenderId Id, long ByteCount);
