using Dunlin.Agent.Reporting;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates;

/// <summary>What comes from the fleet.</summary>
internal enum DocumentKind
{
    Root = 1,
    Fresh = 2,
    Desired = 3,
}

/// <param name="Kind">The topic that it came on.</param>
/// <param name="Payload">The receiver's own.</param>
/// <param name="IsRetained">The broker's copy, which comes with every connection.</param>
internal sealed record Incoming(DocumentKind Kind, ReadOnlyMemory<byte> Payload, bool IsRetained);

/// <summary>
/// Judges what comes from the fleet: roots and fresh documents count at once, the newest directive waits here until the engine
/// takes it, and what is refused gets its code. One thread.
/// </summary>
internal sealed partial class DocumentDesk(
    UpdateRecords records, TrustState trust, UpdateStory story, FreezeWatch freeze, DeviceReport report, TrustedClock clock, ILogger<DocumentDesk> logger)
{
    // Whoever asks again and again must not fill the outbox, which never drops an outcome.
    private const int MaximumQueuedOutcomes = 64;

    private (DsseEnvelope Envelope, Directive Directive)? _next;

    /// <summary>There is a root to judge by.</summary>
    public bool CanJudge => trust.Root is not null;

    /// <summary>A directive waits to be begun, and may be: while the last fresh document has expired none is.</summary>
    public bool HasNext => _next is not null && !trust.IsStale;

    /// <returns>What ends the update under way; null if nothing does.</returns>
    public StepEnd? Take(Incoming incoming)
    {
        if (incoming.Payload.IsEmpty) return null;
        if (trust.Problem is { } problem)
        {
            report.SetProblem("trust", problem.Detail);
            LogRefused(incoming.Kind, problem.Code, problem.Detail);
            return null;
        }

        try
        {
            return incoming.Kind switch
            {
                DocumentKind.Root => TakeRoot(incoming.Payload.Span),
                DocumentKind.Fresh => TakeFresh(incoming.Payload.Span),
                DocumentKind.Desired => TakeDesired(incoming),
                _ => throw new InvalidOperationException($"'{incoming.Kind}' is no document."),
            };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var (code, detail) = UpdateFailure.Of(e);
            LogRefused(incoming.Kind, code, detail);
            report.SetProblem("trust", detail);
            return null;
        }
    }

    /// <summary>The directive that waits, judged again: meanwhile it may have expired, or the root have changed.</summary>
    /// <exception cref="IOException">It is refused, and the disk does not take that; it waits on.</exception>
    public (DsseEnvelope Envelope, Directive Directive)? TakeNext()
    {
        if (_next is not var (envelope, _)) return null;
        var directive = Judge(envelope);
        _next = null;
        return directive is null ? null : (envelope, directive);
    }

    /// <summary>It could not be begun now.</summary>
    public void PutBack(DsseEnvelope envelope, Directive directive) => _next = (envelope, directive);

    private StepEnd? TakeRoot(ReadOnlySpan<byte> payload)
    {
        var read = RootChain.Format.Read(payload);
        if (!read.IsValid)
        {
            LogRefused(DocumentKind.Root, UpdateCodes.OfRoot(VerificationReason.Malformed), string.Join(" ", read.Errors));
            return null;
        }

        var (result, isNew) = trust.Take(read.Value);
        report.SetProblem("trust", result.IsAccepted ? null : result.Detail);
        if (!result.IsAccepted) LogRefused(DocumentKind.Root, UpdateCodes.OfRoot(result.Reason), result.Detail);
        if (isNew) records.SetBack(clock.Now);
        // Whoever holds a key that was replaced has nothing more to say, also not through a directive under way.
        return !isNew || records.Journal.Envelope is not { } directive || trust.StillSigned(directive).IsAccepted ? null
            : StepEnd.Failed(UpdateCodes.Revoked, $"Root {trust.Root!.Version} no longer lists the key of this directive; push again with the new one.");
    }

    private StepEnd? TakeFresh(ReadOnlySpan<byte> payload)
    {
        var read = DsseEnvelope.Format.Read(payload);
        var result = read.IsValid ? trust.Take(read.Value) : new VerificationResult(VerificationReason.Malformed, string.Join(" ", read.Errors));
        if (!result.IsAccepted)
        {
            LogRefused(DocumentKind.Fresh, UpdateCodes.OfFresh(result.Reason), result.Detail);
            return null;
        }

        return Supersede();
    }

    private StepEnd? TakeDesired(Incoming incoming)
    {
        var read = DsseEnvelope.Format.Read(incoming.Payload.Span);
        if (!read.IsValid)
        {
            Refuse(null, null, UpdateCodes.OfDirective(VerificationReason.Malformed), $"The directive is no envelope: {string.Join(" ", read.Errors)}");
            return null;
        }

        var digest = Digest.Of(read.Value.Payload.Span);
        if ((records.IsUnderWay && records.Journal.Directive == digest) || (_next is { } next && Digest.Of(next.Envelope.Payload.Span) == digest)) return null;
        if (records.Find(digest) is not { } seen) return TakeUnseen(read.Value);
        // The retained copy comes with every connection and is no question; a message is.
        if (!incoming.IsRetained && Directive.Format.Read(read.Value.Payload.Span).Value is { } asked && records.QueuedOutcomeCount < MaximumQueuedOutcomes)
            records.Repeat(digest, asked.Release, seen);
        return null;
    }

    private StepEnd? TakeUnseen(DsseEnvelope envelope)
    {
        if (Judge(envelope) is not { } directive) return null;
        freeze.Saw(directive);
        if ((_next?.Directive.Counter ?? BegunCounter()) is { } higher && higher >= directive.Counter)
        {
            Refuse(Digest.Of(envelope.Payload.Span), directive, UpdateCodes.OfDirective(VerificationReason.CounterBelowFloor), $"Directive {directive.Counter} came after {higher}; the higher one counts.");
            return null;
        }

        var before = _next;
        _next = (envelope, directive);
        if (before is { } older)
            records.Settle(Digest.Of(older.Envelope.Payload.Span), older.Directive.Release, UpdateState.Cancelled, UpdateCodes.Superseded, "A newer directive came before it was begun.", clock.Now);
        if (trust.IsStale) LogRefused(DocumentKind.Desired, UpdateCodes.Stale, $"Directive {directive.Counter} waits, because no fresh document has come since {trust.FreshUntil:u}.");
        return Supersede();
    }

    // What is under way goes on until the newer one may be begun.
    private StepEnd? Supersede() => HasNext && records.IsUnderWay ? new StepEnd(UpdateEvent.Superseded, UpdateCodes.Superseded, $"Directive {_next!.Value.Directive.Counter} is newer.") : null;

    /// <returns>Null: it is refused, which is told.</returns>
    private Directive? Judge(DsseEnvelope envelope)
    {
        var (result, directive) = trust.Judge(envelope);
        if (directive is not null) return directive;
        var isAuthentic = result.Reason is not (VerificationReason.Malformed or VerificationReason.WrongType or VerificationReason.BelowThreshold);
        var refused = isAuthentic ? Directive.Format.Read(envelope.Payload.Span).Value : null;
        if (refused is not null) freeze.Saw(refused);
        Refuse(Digest.Of(envelope.Payload.Span), refused, UpdateCodes.OfDirective(result.Reason), result.Detail);
        return null;
    }

    // What is begun raises the floor in its first step, a moment after it is in the journal.
    private long? BegunCounter() => records.IsUnderWay && records.Journal.Envelope is { } begun && trust.StillSigned(begun).IsAccepted
        ? Directive.Format.Read(begun.Payload.Span).Value?.Counter
        : null;

    /// <param name="digest">Of the payload; null: there is none.</param>
    /// <param name="directive">Null unless a trusted key has signed it: nobody else gets an outcome.</param>
    /// <param name="code">Why.</param>
    /// <param name="detail">The same in a sentence.</param>
    private void Refuse(Digest? digest, Directive? directive, string code, string detail)
    {
        LogRefused(DocumentKind.Desired, code, detail);
        if (directive is not null && records.QueuedOutcomeCount < MaximumQueuedOutcomes)
            records.Settle(digest!.Value, directive.Release, UpdateState.Rejected, code, detail, clock.Now);
        // What is under way stays visible.
        if (!records.IsUnderWay) story.Tell(new ReportedUpdate(UpdateState.Rejected, digest, directive?.Release, code) { Detail = detail });
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind} document refused, {Code}: {Detail}")]
    private partial void LogRefused(DocumentKind kind, string code, string detail);
}
