using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Trust;

/// <summary>From root N to N + 1, one step at a time, each signed by the thresholds of both.</summary>
public static class RootRotation
{
    /// <summary>The first root of a device, installed by its owner: it must be signed by its own threshold.</summary>
    public static (VerificationResult Result, Root? Root) Install(DsseEnvelope envelope)
    {
        var (result, root) = Parse(envelope);
        if (root is null) return (result, null);
        result = EnvelopeVerifier.Verify(envelope, SigningRole.Root, root);
        return result.IsAccepted ? (result, root) : (result, null);
    }

    /// <summary>
    /// Follows the envelopes from the trusted root; those up to its version are passed over. Stops at the first that
    /// fails and keeps the last good one: a chain with a bad end is as good as its beginning. Expiry is judged at the
    /// end, against build time, since intermediate roots may be old (TUF 5.3).
    /// </summary>
    /// <returns>The newest root reached, with its envelope (null if it is still <paramref name="trusted"/>).</returns>
    public static (VerificationResult Result, Root Root, DsseEnvelope? Envelope) Follow(Root trusted, IEnumerable<DsseEnvelope> chain, DateTimeOffset buildTime)
    {
        var (current, reached) = (trusted, (DsseEnvelope?)null);
        foreach (var envelope in chain)
        {
            var (result, next) = Parse(envelope);
            if (next is null) return (result, current, reached);
            if (next.Version <= trusted.Version) continue;
            result = Step(current, next, envelope);
            if (!result.IsAccepted) return (result, current, reached);
            (current, reached) = (next, envelope);
        }
        return current.Expires > buildTime
            ? (VerificationResult.Accepted, current, reached)
            : (new(VerificationReason.Expired, $"Root {current.Version} expired at {current.Expires:u}, before this agent was built ({buildTime:u}); publish a newer root."), current, reached);
    }

    private static VerificationResult Step(Root current, Root next, DsseEnvelope envelope)
    {
        if (next.Fleet != current.Fleet)
            return new(VerificationReason.WrongFleet, $"Root {next.Version} is for the fleet '{next.Fleet}', and this device belongs to '{current.Fleet}'; publish this fleet's root.");
        if (next.Version != current.Version + 1)
            return new(VerificationReason.VersionSkipped, $"Root {next.Version} does not follow root {current.Version}; publish every root from {current.Version + 1} on.");
        var byOld = EnvelopeVerifier.Verify(envelope, SigningRole.Root, current);
        return byOld.IsAccepted ? EnvelopeVerifier.Verify(envelope, SigningRole.Root, next) : byOld;
    }

    private static (VerificationResult Result, Root? Root) Parse(DsseEnvelope envelope)
    {
        var read = Root.Format.Read(envelope.Payload.Span);
        return read.IsValid
            ? (VerificationResult.Accepted, read.Value)
            : (new(VerificationReason.Malformed, $"The root is invalid: {string.Join(" ", read.Errors)}"), null);
    }
}
