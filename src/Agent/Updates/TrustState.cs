using Dunlin.Bundles.State;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates;

/// <summary>
/// Root, floors and freshness of this device: judges documents by <see cref="Acceptance"/> and keeps what they raise. Floors
/// are persisted after everything that depends on them. One thread.
/// </summary>
internal sealed partial class TrustState(StateFiles files, Topics self, TrustedClock clock, ILogger<TrustState> logger)
{
    private readonly Lock _gate = new();
    private Fresh? _fresh;

    /// <summary>Null on a device that was not enrolled.</summary>
    public Root? Root { get; private set; }

    public Floors? Floors { get; private set; }

    /// <summary>Why nothing can be judged: code and sentence; null if it can.</summary>
    public (string Code, string Detail)? Problem { get; private set; }

    /// <summary>The last fresh document has expired. A device that never got one cannot know.</summary>
    public bool IsStale => _fresh is { } fresh && clock.Now >= fresh.Expires;

    public DateTimeOffset? FreshUntil => _fresh?.Expires;

    /// <summary>The highest counter that the fleet has signed for this device, as of the last fresh document.</summary>
    public long? FreshCounter => _fresh?.Counter;

    /// <summary>Reads what is on the disk; nothing is written.</summary>
    public void Load()
    {
        lock (_gate) Read();
    }

    private void Read()
    {
        (Root, Floors, _fresh, Problem) = (null, null, null, null);
        var stored = files.ReadRoot();
        if (stored.Condition == StateCondition.Absent)
        {
            Problem = (UpdateCodes.NoRoot, $"This device has no trusted root in '{files.Layout.TrustRoot}', so it can believe nobody; enrol it with 'dunlin-fleet enroll'.");
            return;
        }

        var (installed, root) = stored.Value is { } envelope ? RootRotation.Install(envelope) : (new VerificationResult(VerificationReason.Malformed, stored.Problem!), null);
        var floors = files.ReadFloors();
        if (root is null || floors.Condition == StateCondition.Damaged)
        {
            Problem = (UpdateCodes.TrustDamaged, $"{(root is null ? installed.Detail : floors.Problem)} Enrol this device again with 'dunlin-fleet enroll' and every --set of before, run 'sh install.sh --replace-trust' of its folder, and push to it: until it has committed a release it would take older directives and releases again.");
            return;
        }

        Root = root;
        Floors = FloorRules.Under(floors.Value ?? FloorRules.Begin(root), root);
        clock.Learn(Floors.Time);
        if (files.ReadFresh().Value is { } kept && EnvelopeVerifier.Verify(kept, SigningRole.Fresh, root).IsAccepted && Fresh.Format.Read(kept.Payload.Span).Value is { } fresh)
        {
            _fresh = fresh;
            clock.Learn(fresh.Time);
        }
    }

    public (VerificationResult Result, Directive? Directive) Judge(DsseEnvelope envelope)
    {
        lock (_gate) return Acceptance.Judge(envelope, Context());
    }

    public (VerificationResult Result, Manifest? Manifest) JudgeRelease(DsseEnvelope envelope, Digest release)
    {
        lock (_gate) return Acceptance.JudgeRelease(envelope, release, Version.Parse(AgentVersion.Text), Context());
    }

    /// <inheritdoc cref="Acceptance.JudgeCommand"/>
    public (VerificationResult Result, SignedCommand? Command) JudgeCommand(DsseEnvelope envelope, string name, string bootId)
    {
        lock (_gate) return Acceptance.JudgeCommand(envelope, name, bootId, Context());
    }

    /// <summary>Whether the keys of the root as it is now have signed a directive that was accepted before.</summary>
    public VerificationResult StillSigned(DsseEnvelope directive) => EnvelopeVerifier.Verify(directive, SigningRole.Directive, Root!);

    /// <summary>Follows a chain of roots and keeps the newest that it reaches.</summary>
    /// <returns>How the end of the chain was judged, and whether there is a new root.</returns>
    /// <exception cref="IOException">The disk does not take it; the old root stands.</exception>
    public (VerificationResult Result, bool IsNew) Take(RootChain chain)
    {
        lock (_gate) return Follow(chain);
    }

    private (VerificationResult Result, bool IsNew) Follow(RootChain chain)
    {
        if (Root is not { } trusted || Floors is not { } floors) return (new(VerificationReason.Malformed, Problem?.Detail ?? ""), false);
        var (result, root, envelope) = RootRotation.Follow(trusted, chain.Roots, clock.BuildTime);
        if (envelope is null) return (result, false);
        files.WriteRoot(envelope);
        var under = FloorRules.Under(floors, root);
        var isReplaced = under.Time < floors.Time || (under.Counter == 0 && floors.Counter > 0);
        (Root, Floors) = (root, under);
        if (isReplaced) clock.Reset(under.Time);
        else clock.Learn(under.Time);
        if (_fresh is not null && files.ReadFresh().Value is { } kept && !EnvelopeVerifier.Verify(kept, SigningRole.Fresh, root).IsAccepted) _fresh = null;
        Persist();
        LogRoot(root.Version);
        return (result, true);
    }

    /// <summary>Judges a fresh document; an accepted one raises the time.</summary>
    public VerificationResult Take(DsseEnvelope envelope)
    {
        lock (_gate) return TakeFresh(envelope);
    }

    private VerificationResult TakeFresh(DsseEnvelope envelope)
    {
        if (Floors is not { } floors) return new(VerificationReason.Malformed, Problem?.Detail ?? "");
        var (result, fresh) = Acceptance.JudgeFresh(envelope, Context());
        if (fresh is null) return result;
        _fresh = fresh;
        Floors = FloorRules.Raise(floors, fresh);
        clock.Learn(fresh.Time);
        try
        {
            if (Floors.Time != floors.Time)
            {
                files.WriteFresh(envelope);
                files.WriteFloors(Floors);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It holds until the next start; the next document tries again.
            LogNotKept(e.Message);
        }

        return result;
    }

    /// <summary>After the directive is in the journal. Again is no error.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public void Raise(Directive directive)
    {
        lock (_gate)
        {
            Floors = FloorRules.Raise(Floors!, directive);
            clock.Learn(directive.Issued);
            Persist();
        }
    }

    /// <summary>After a release was committed. Again is no error.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public void RaiseEpoch(int securityEpoch)
    {
        lock (_gate)
        {
            Floors = FloorRules.RaiseEpoch(Floors!, securityEpoch);
            Persist();
        }
    }

    private void Persist()
    {
        if (files.ReadFloors().Value is { } stored && (stored with { Checksum = null }) is var old && Same(old, Floors!)) return;
        files.WriteFloors(Floors!);
    }

    private static bool Same(Floors a, Floors b) =>
        (a.RootVersion, a.Counter, a.SecurityEpoch, a.Time) == (b.RootVersion, b.Counter, b.SecurityEpoch, b.Time) && a.OnlineKeyIds.SequenceEqual(b.OnlineKeyIds);

    private TrustContext Context() => new()
    {
        Fleet = self.Fleet,
        Device = self.Device,
        Root = Root!,
        Floors = Floors!,
        BuildTime = clock.BuildTime,
        SynchronizedClock = clock.Synchronized,
        FreshTime = clock.Now,
        FreshCounter = _fresh is { } fresh && fresh.Time == Floors!.Time ? fresh.Counter : null,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Root {Version} is trusted from now on")]
    private partial void LogRoot(int version);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Freshness not kept on the disk: {Why}")]
    private partial void LogNotKept(string why);
}
