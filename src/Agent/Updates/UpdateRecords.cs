using Dunlin.Bundles.State;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Outbox;

namespace Dunlin.Agent.Updates;

/// <summary>The journal, and how directives ended: <c>state/seen.json</c> and the outcomes. Thread-safe but for the journal, which one thread at a time writes.</summary>
internal sealed class UpdateRecords(StateFiles files, MessageOutbox outbox, LinkIdentity identity, MessageSequence sequence, TimeProvider time)
{
    private const int KeptCount = 256;

    private readonly Lock _gate = new();
    private OrderedDictionary<Digest, SeenDirective> _seen = [];

    public Journal Journal { get; private set; } = Idle();

    public bool IsUnderWay => Journal.State != UpdateState.Idle;

    /// <summary>Outcomes that the broker does not have yet.</summary>
    public long QueuedOutcomeCount => outbox.QueuedOutcomeCount;

    /// <summary>The directive under way, or the last one.</summary>
    public Directive? Directive { get; private set; }

    /// <summary>
    /// Reads the records or their backups. Without a whole journal nothing is known of an update under way, and it is asked for anew;
    /// without a whole record of seen directives the floors alone refuse what comes again.
    /// </summary>
    /// <returns>What is wrong with the files, each in a sentence.</returns>
    public IEnumerable<string> Load()
    {
        var (journal, seen) = (files.ReadJournal(), files.ReadSeen());
        Take(journal.Value ?? Idle());
        lock (_gate) _seen = new(seen.Value?.Directives ?? new Dictionary<Digest, SeenDirective>());
        return new[] { journal.Problem, seen.Problem }.OfType<string>();
    }

    /// <summary>Returns when it is on the disk.</summary>
    /// <exception cref="IOException">The disk does not take it; the old journal stands.</exception>
    public void Write(Journal journal)
    {
        files.WriteJournal(journal);
        Take(journal);
    }

    /// <summary>A start that was ended in good order says nothing of the release on trial, and counts no more. Once, when nobody else writes any more.</summary>
    /// <exception cref="IOException">The disk does not take it: it counts.</exception>
    public void ForgetStart()
    {
        if (Journal is { State: UpdateState.Trial, Tries: > 0 } journal) Write(journal with { Tries = journal.Tries - 1 });
    }

    /// <summary>How a directive ended; null if it did not.</summary>
    public SeenDirective? Find(Digest directive)
    {
        lock (_gate) return _seen.GetValueOrDefault(directive);
    }

    /// <summary>Releases that were tried within a time before now.</summary>
    public int CountInstalls(DateTimeOffset now, TimeSpan interval)
    {
        SetBack(now);
        lock (_gate) return _seen.Values.Count(directive => directive.Result is UpdateState.Committed or UpdateState.RolledBack && directive.Time > now - interval);
    }

    /// <summary>
    /// What ended later than it is now did so by a time that no longer counts: of a key that was replaced, or of before a restart. It ended
    /// just now at the latest, so that it counts for an interval more and not for years.
    /// </summary>
    public void SetBack(DateTimeOffset now)
    {
        lock (_gate)
            foreach (var (directive, seen) in _seen.Where(pair => pair.Value.Time > now).ToList()) _seen[directive] = seen with { Time = now };
    }

    /// <summary>Puts the outcome of a directive into the outbox, once, and remembers it.</summary>
    /// <exception cref="IOException">The disk does not take it; call again.</exception>
    public void Settle(Digest directive, Digest release, UpdateState result, string? reason, string? detail, DateTimeOffset now)
    {
        lock (_gate) SettleOnce(directive, release, result, reason, detail, now);
    }

    private void SettleOnce(Digest directive, Digest release, UpdateState result, string? reason, string? detail, DateTimeOffset now)
    {
        if (_seen.ContainsKey(directive)) return;
        outbox.Add(OutcomeOf(directive, release, result, reason, detail), () =>
        {
            // In the order in which they ended: the time may have been set back between.
            var seen = new OrderedDictionary<Digest, SeenDirective>(_seen) { [directive] = new() { Result = result, Reason = reason, Time = now } };
            while (seen.Count > KeptCount) seen.RemoveAt(0);
            files.WriteSeen(new Seen { Schema = Seen.CurrentSchema, Directives = seen });
            _seen = seen;
        });
    }

    /// <summary>The old outcome again, for whoever asks again.</summary>
    public void Repeat(Digest directive, Digest release, SeenDirective seen) =>
        outbox.Repeat(OutcomeOf(directive, release, seen.Result, seen.Reason, "This directive was carried out before."));

    private void Take(Journal journal)
    {
        Journal = journal;
        Directive = journal.Envelope is { } envelope ? Directive.Format.Read(envelope.Payload.Span).Value : null;
    }

    private Outcome OutcomeOf(Digest directive, Digest release, UpdateState result, string? reason, string? detail) => new()
    {
        Schema = Outcome.CurrentSchema,
        BootId = identity.BootId,
        Sequence = sequence.Next(),
        Time = time.GetUtcNow(),
        Directive = directive,
        Release = release,
        Result = result,
        Reason = reason,
        Detail = detail,
    };

    private static Journal Idle() => new() { Schema = Journal.CurrentSchema, State = UpdateState.Idle };
}
