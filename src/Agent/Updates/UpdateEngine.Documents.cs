using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates;

/// <summary>What the engine does with what it is told, and what it tells.</summary>
internal sealed partial class UpdateEngine
{
    // Whoever asks again and again must not fill the outbox, which never drops an outcome.
    private const int MaximumQueuedOutcomes = 64;

    private void Take(Incoming incoming)
    {
        if (incoming.Payload.IsEmpty) return;
        if (_trust.Problem is { } problem)
        {
            _report.SetProblem("trust", problem.Detail);
            LogRefused(incoming.Kind, problem.Code, problem.Detail);
            return;
        }

        try
        {
            switch (incoming.Kind)
            {
                case DocumentKind.Root:
                    TakeRoot(incoming.Payload.Span);
                    break;
                case DocumentKind.Fresh:
                    TakeFresh(incoming.Payload.Span);
                    break;
                case DocumentKind.Desired:
                    TakeDesired(incoming);
                    break;
                default:
                    throw new InvalidOperationException($"'{incoming.Kind}' is no document.");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var (code, detail) = Describe(e);
            LogRefused(incoming.Kind, code, detail);
            _report.SetProblem("trust", detail);
        }
    }

    private void TakeRoot(ReadOnlySpan<byte> payload)
    {
        var read = RootChainReader.Read(payload);
        if (!read.IsValid)
        {
            LogRefused(DocumentKind.Root, UpdateCodes.OfRoot(VerificationReason.Malformed), string.Join(" ", read.Errors));
            return;
        }

        var (result, isNew) = _trust.Take(read.Value);
        _report.SetProblem("trust", result.IsAccepted ? null : result.Detail);
        if (!result.IsAccepted) LogRefused(DocumentKind.Root, UpdateCodes.OfRoot(result.Reason), result.Detail);
        if (!isNew || Journal.Envelope is not { } directive || _trust.StillSigned(directive).IsAccepted) return;
        // Whoever holds a key that was replaced has nothing more to say, also not through a directive under way.
        Interrupt(StepEnd.Failed(UpdateCodes.Revoked, $"Root {_trust.Root!.Version} no longer lists the key of this directive; push again with the new one."));
    }

    private void TakeFresh(ReadOnlySpan<byte> payload)
    {
        var read = EnvelopeReader.Read(payload);
        var result = read.IsValid ? _trust.Take(read.Value) : new VerificationResult(VerificationReason.Malformed, string.Join(" ", read.Errors));
        if (!result.IsAccepted)
        {
            LogRefused(DocumentKind.Fresh, UpdateCodes.OfFresh(result.Reason), result.Detail);
            return;
        }

        if (_held is not { } held || _trust.IsStale) return;
        _held = null;
        Judge(held);
    }

    private void TakeDesired(Incoming incoming)
    {
        var read = EnvelopeReader.Read(incoming.Payload.Span);
        if (!read.IsValid)
        {
            Refuse(null, null, UpdateCodes.OfDirective(VerificationReason.Malformed), $"The directive is no envelope: {string.Join(" ", read.Errors)}");
            return;
        }

        var digest = Digest.Of(read.Value.Payload.Span);
        if ((IsUnderWay && Journal.Directive == digest) || (_next is { } next && Digest.Of(next.Envelope.Payload.Span) == digest)) return;
        if (_records.Find(digest) is { } seen)
        {
            // The retained copy comes with every connection and is no question; a message is.
            if (!incoming.IsRetained && DirectiveReader.Read(read.Value.Payload.Span).Value is { } asked && _parts.QueuedOutcomeCount() < MaximumQueuedOutcomes)
                _records.Repeat(digest, asked.Release, seen);
            return;
        }

        Judge(read.Value);
    }

    private void Judge(DsseEnvelope envelope)
    {
        var digest = Digest.Of(envelope.Payload.Span);
        var (result, directive) = _trust.Judge(envelope);
        if (directive is null)
        {
            var isAuthentic = result.Reason is not (VerificationReason.Malformed or VerificationReason.WrongType or VerificationReason.BelowThreshold);
            var code = UpdateCodes.OfDirective(result.Reason);
            Refuse(digest, isAuthentic ? DirectiveReader.Read(envelope.Payload.Span).Value : null, code, result.Detail);
            return;
        }

        if (_trust.IsStale)
        {
            _held = envelope;
            LogRefused(DocumentKind.Desired, UpdateCodes.Stale, $"Directive {directive.Counter} waits, because no fresh document has come since {_trust.FreshUntil:u}.");
            return;
        }

        if (_next is { } waiting && waiting.Directive.Counter >= directive.Counter)
        {
            Refuse(digest, directive, UpdateCodes.OfDirective(VerificationReason.CounterBelowFloor), $"Directive {directive.Counter} came after {waiting.Directive.Counter}; the higher one counts.");
            return;
        }

        if (_next is { } older) Settle(older.Envelope, older.Directive);
        _next = (envelope, directive);
        if (IsUnderWay) Interrupt(new StepEnd(UpdateEvent.Superseded, UpdateCodes.Superseded, $"Directive {directive.Counter} is newer."));
    }

    private void Settle(DsseEnvelope envelope, Directive directive) => _records.Settle(
        Digest.Of(envelope.Payload.Span), directive.Release, UpdateState.Cancelled, UpdateCodes.Superseded, "A newer directive came before it was begun.", _parts.Now());

    /// <param name="digest">Of the payload; null: there is none.</param>
    /// <param name="directive">Null unless a trusted key has signed it: nobody else gets an outcome.</param>
    /// <param name="code">Why.</param>
    /// <param name="detail">The same in a sentence.</param>
    private void Refuse(Digest? digest, Directive? directive, string code, string detail)
    {
        LogRefused(DocumentKind.Desired, code, detail);
        if (directive is not null && _parts.QueuedOutcomeCount() < MaximumQueuedOutcomes)
            _records.Settle(digest!.Value, directive.Release, UpdateState.Rejected, code, detail, _parts.Now());
        // What is under way stays visible.
        if (!IsUnderWay) Tell(new ReportedUpdate(UpdateState.Rejected, digest, directive?.Release, code) { Detail = detail });
    }

    /// <summary>A release that lost bytes on the disk is fetched again by the directive that brought it.</summary>
    private void Repair(CancellationToken cancellationToken)
    {
        if (_repaired || _trust.Root is null) return;
        _repaired = true;
        if (_parts.Releases.Active is not { } active || _parts.Releases.Open(active) is not { IsComplete: false } stored) return;
        if (_parts.Releases.DirectiveOf(active) is not var (envelope, directive))
        {
            _report.SetProblem("release", $"{stored.Problem} Its directive is not known any more; push the release again.");
            return;
        }

        LogRepair(active, stored.Problem ?? "");
        foreach (var blob in stored.Bad) _parts.Blobs.Delete(blob.Digest);
        Accept(envelope, directive, cancellationToken);
    }

    private void Watch()
    {
        _report.SetCondition(UpdateCondition.Stale, _trust.IsStale);
        _report.SetProblem("fresh", _trust.IsStale
            ? $"STALE: the last fresh document has expired at {_trust.FreshUntil:u}, so this device may be cut off from newer directives and installs nothing; see that 'dunlin-fleet serve' runs and that the broker lets its messages through."
            : null);
        var isReadOnly = StateAccess.IsReadOnly(_parts.Blobs.Layout.Root);
        _report.SetCondition(UpdateCondition.ReadOnly, isReadOnly);
        _report.SetProblem("disk", isReadOnly
            ? $"READ_ONLY: '{_parts.Blobs.Layout.Root}' takes no writes; what runs goes on, and nothing is installed. Look at the kernel's log for errors of the disk, and mount it again."
            : null);
    }

    /// <summary>Progress, at most once a second.</summary>
    private void Tell(UpdateState state, double? progress, string detail)
    {
        if (state != State) return;
        if (_toldAt != 0 && _time.GetElapsedTime(Volatile.Read(ref _toldAt)) < TellInterval) return;
        Volatile.Write(ref _toldAt, _time.GetTimestamp());
        Report(state, null, detail, progress);
    }

    private void Report(UpdateState state, string? code, string? detail, double? progress) =>
        Tell(new ReportedUpdate(state, Journal.Directive, Journal.Release, code) { Detail = detail, Progress = progress });

    private void Tell(ReportedUpdate update) =>
        _report.SetUpdate(update with { RootVersion = _trust.Root?.Version, Counter = _trust.Floors?.Counter });

    private static string SentenceOf(UpdateState state) => state switch
    {
        UpdateState.Received => "The directive is accepted.",
        UpdateState.Fetching => "The release is fetched.",
        UpdateState.Fetched => "All files are here.",
        UpdateState.Checked => "The models are checked on this board.",
        UpdateState.Raced => "The variants race on this board.",
        UpdateState.Switching => "The release becomes the active one.",
        UpdateState.Trial => "The release serves on trial.",
        UpdateState.Committed => "The release is committed.",
        UpdateState.Idle => "There is no update.",
        _ => "The update has ended.",
    };

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Kind} document refused, {Code}: {Detail}")]
    private partial void LogRefused(DocumentKind kind, string code, string detail);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Release {Release} is damaged on the disk and fetched again: {Problem}")]
    private partial void LogRepair(Digest release, string problem);
}
