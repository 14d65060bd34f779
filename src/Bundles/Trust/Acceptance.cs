using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.Bundles.Trust;

/// <summary>What a device knows of itself and of the time when it judges a document.</summary>
public sealed record TrustContext
{
    public required string Fleet { get; init; }
    public required string Device { get; init; }

    /// <summary>Verified, and chosen before anything else is judged.</summary>
    public required Root Root { get; init; }

    /// <summary>As <see cref="FloorRules.Under"/> gives them for <see cref="Root"/>.</summary>
    public required Floors Floors { get; init; }

    /// <summary>When this agent was built.</summary>
    public required DateTimeOffset BuildTime { get; init; }

    /// <summary>The system clock if it is synchronized, else null.</summary>
    public DateTimeOffset? SynchronizedClock { get; init; }

    /// <summary>The time of the newest accepted fresh document, null if there is none.</summary>
    public DateTimeOffset? FreshTime { get; init; }

    /// <summary>
    /// The counter of the fresh document that <see cref="Contracts.Updates.Floors.Time"/> was learned from; null if it was another document. At that time the
    /// fleet had issued nothing newer, so a directive of this counter is current though it was issued before: a board that was
    /// away when it was pushed gets the beacon and the directive in any order.
    /// </summary>
    public long? FreshCounter { get; init; }

    /// <summary>max(build time, saved floor, fresh time, system clock if synchronized): the earliest that it can be now.</summary>
    public DateTimeOffset TrustedNow
    {
        get
        {
            var now = BuildTime > Floors.Time ? BuildTime : Floors.Time;
            if (FreshTime is { } fresh && fresh > now) now = fresh;
            if (SynchronizedClock is { } clock && clock > now) now = clock;
            return now;
        }
    }
}

/// <summary>The acceptance rules of signed documents as pure functions; nothing is read or written.</summary>
public static class Acceptance
{
    /// <summary>A fleet's clock may be ahead of a device's by so much; a floor that rises so far holds up the device for no longer.</summary>
    private static readonly TimeSpan MaximumLead = TimeSpan.FromDays(1);

    public static (VerificationResult Result, Directive? Directive) Judge(DsseEnvelope envelope, TrustContext context)
    {
        var signed = EnvelopeVerifier.Verify(envelope, SigningRole.Directive, context.Root);
        if (!signed.IsAccepted) return (signed, null);
        var read = Directive.Format.Read(envelope.Payload.Span);
        if (!read.IsValid) return (new(VerificationReason.Malformed, $"The directive is invalid: {string.Join(" ", read.Errors)}"), null);
        var directive = read.Value;
        var now = context.TrustedNow;
        var result = Addressee("directive", directive.Fleet, directive.Device, context)
            ?? CounterAbove(directive.Counter, context.Floors)
            ?? NotAhead($"directive {directive.Counter}", directive.Issued, context)
            ?? NotExpired($"directive {directive.Counter}", directive.Expires, now)
            ?? (context.SynchronizedClock is null && !(directive.Counter >= context.FreshCounter) ? NotBefore($"directive {directive.Counter}", directive.Issued, context.Floors) : null)
            ?? VerificationResult.Accepted;
        return result.IsAccepted ? (result, directive) : (result, null);
    }

    public static (VerificationResult Result, Fresh? Fresh) JudgeFresh(DsseEnvelope envelope, TrustContext context)
    {
        var signed = EnvelopeVerifier.Verify(envelope, SigningRole.Fresh, context.Root);
        if (!signed.IsAccepted) return (signed, null);
        var read = Fresh.Format.Read(envelope.Payload.Span);
        if (!read.IsValid) return (new(VerificationReason.Malformed, $"The fresh document is invalid: {string.Join(" ", read.Errors)}"), null);
        var fresh = read.Value;
        var result = Addressee("fresh document", fresh.Fleet, fresh.Device, context)
            ?? NotBefore("fresh document", fresh.Time, context.Floors)
            ?? NotAhead("fresh document", fresh.Time, context)
            ?? NotExpired("fresh document", fresh.Expires, context.TrustedNow)
            ?? VerificationResult.Accepted;
        return result.IsAccepted ? (result, fresh) : (result, null);
    }

    /// <summary>Judges a command; whether its nonce was seen before is for who remembers nonces.</summary>
    /// <param name="envelope">What came.</param>
    /// <param name="name">The last level of its topic.</param>
    /// <param name="bootId">Of this start.</param>
    /// <param name="context">This device's root and time.</param>
    public static (VerificationResult Result, SignedCommand? Command) JudgeCommand(DsseEnvelope envelope, string name, string bootId, TrustContext context)
    {
        var signed = EnvelopeVerifier.Verify(envelope, SigningRole.Command, context.Root);
        if (!signed.IsAccepted) return (signed, null);
        var read = SignedCommand.Format.Read(envelope.Payload.Span);
        if (!read.IsValid) return (new(VerificationReason.Malformed, $"The command is invalid: {string.Join(" ", read.Errors)}"), null);
        var command = read.Value;
        var result = Addressee("command", command.Fleet, command.Device, context)
            ?? Named(command, name)
            ?? OfBoot(command, bootId)
            ?? NotExpired("command", command.Expires, context.TrustedNow)
            ?? VerificationResult.Accepted;
        return result.IsAccepted ? (result, command) : (result, null);
    }

    /// <summary>Judges the release that an accepted directive names.</summary>
    /// <param name="envelope">The release's signature.</param>
    /// <param name="release">The release id that was asked for; only this one is accepted.</param>
    /// <param name="agentVersion">Of this agent, for example 0.1.0.</param>
    /// <param name="context">This device's root and floors.</param>
    public static (VerificationResult Result, Manifest? Manifest) JudgeRelease(DsseEnvelope envelope, Digest release, Version agentVersion, TrustContext context)
    {
        var signed = EnvelopeVerifier.Verify(envelope, SigningRole.Release, context.Root);
        if (!signed.IsAccepted) return (signed, null);
        var actual = Digest.Of(envelope.Payload.Span);
        if (actual != release)
            return (new(VerificationReason.WrongRelease, $"The signed release is {actual}, and {release} was asked for; publish the envelope of that release."), null);
        var read = Manifest.Format.Read(envelope.Payload.Span);
        if (!read.IsValid) return (new(VerificationReason.Malformed, $"The manifest is invalid: {string.Join(" ", read.Errors)}"), null);
        var manifest = read.Value;
        if (manifest.SecurityEpoch < context.Floors.SecurityEpoch)
            return (new(VerificationReason.EpochBelowFloor, $"Release '{manifest.Name} {manifest.Label}' has security epoch {manifest.SecurityEpoch}, and this device has committed {context.Floors.SecurityEpoch}; build it again with that epoch."), null);
        if (Version.Parse(manifest.MinAgent) > agentVersion)
            return (new(VerificationReason.AgentTooOld, $"Release '{manifest.Name} {manifest.Label}' needs agent {manifest.MinAgent}, and this is {agentVersion}; update the agent first."), null);
        return (VerificationResult.Accepted, manifest);
    }

    private static VerificationResult? Addressee(string what, string fleet, string device, TrustContext context)
    {
        if (fleet != context.Fleet || fleet != context.Root.Fleet)
            return new(VerificationReason.WrongFleet, $"The {what} is for the fleet '{fleet}', and this device belongs to '{context.Fleet}' under a root of '{context.Root.Fleet}'; send it to its own fleet.");
        return device == context.Device ? null
            : new(VerificationReason.WrongDevice, $"The {what} is for the device '{device}', and this is '{context.Device}'; send it to its own topic.");
    }

    private static VerificationResult? CounterAbove(long counter, Floors floors) => counter > floors.Counter ? null
        : new(VerificationReason.CounterBelowFloor, $"The directive has counter {counter}, and {floors.Counter} was accepted already; issue a new one with a higher counter.");

    private static VerificationResult? Named(SignedCommand command, string name) => command.Name == name ? null
        : new(VerificationReason.WrongName, $"The command is '{command.Name}', and it came as '{name}'; send it to its own topic.");

    private static VerificationResult? OfBoot(SignedCommand command, string bootId) => command.BootId == bootId ? null
        : new(VerificationReason.WrongBoot, $"The command is for the boot id '{command.BootId}', and this start of the agent has '{bootId}'; sign another for that of the device's status.");

    private static VerificationResult? NotExpired(string what, DateTimeOffset expires, DateTimeOffset now) => expires > now ? null
        : new(VerificationReason.Expired, $"The {what} expired at {expires:u}, and it is {now:u} at least; issue a new one.");

    private static VerificationResult? NotBefore(string what, DateTimeOffset time, Floors floors) => time >= floors.Time ? null
        : new(VerificationReason.TimeBelowFloor, $"The {what} is of {time:u}, and this device has seen a signed time of {floors.Time:u}; issue a new one, or correct the fleet's clock.");

    // One such document would raise the time floor for good, and everything later would be refused as too old. A clock before the build's time is no clock.
    private static VerificationResult? NotAhead(string what, DateTimeOffset time, TrustContext context) =>
        context.SynchronizedClock is { } clock && clock >= context.BuildTime && time - clock > MaximumLead
            ? new(VerificationReason.TimeAhead, $"The {what} is of {time:u}, more than a day after this device's clock, which is synchronized ({clock:u}); correct the fleet's clock, and issue a new one.")
            : null;
}
