namespace Dunlin.Bundles.Trust;

/// <summary>Whether a signed document may be acted on, and if not, why.</summary>
/// <param name="Reason">For code, logs and outcomes.</param>
/// <param name="Detail">A sentence for people that names the document, the value, the rule and the next step.</param>
public sealed record VerificationResult(VerificationReason Reason, string Detail)
{
    public static VerificationResult Accepted { get; } = new(VerificationReason.Accepted, "The document is accepted.");

    public bool IsAccepted => Reason == VerificationReason.Accepted;
}

public enum VerificationReason
{
    Accepted = 0,

    /// <summary>No well-formed envelope or payload.</summary>
    Malformed = 1,

    /// <summary>The payloadType is that of another kind of document.</summary>
    WrongType = 2,

    /// <summary>Fewer distinct keys of the role have signed than its threshold.</summary>
    BelowThreshold = 3,

    /// <summary>For another fleet.</summary>
    WrongFleet = 4,

    /// <summary>For another device.</summary>
    WrongDevice = 5,

    /// <summary>Its expiry is not after the trusted time.</summary>
    Expired = 6,

    /// <summary>Its counter is not above the floor: a replay.</summary>
    CounterBelowFloor = 7,

    /// <summary>Issued before the latest signed time that this device knows.</summary>
    TimeBelowFloor = 8,

    /// <summary>The release's security epoch is below the floor.</summary>
    EpochBelowFloor = 9,

    /// <summary>The release is not the one that the directive names.</summary>
    WrongRelease = 10,

    /// <summary>A root whose version is not the trusted one plus 1.</summary>
    VersionSkipped = 11,

    /// <summary>The release needs a newer agent.</summary>
    AgentTooOld = 12,

    /// <summary>The command is for another topic.</summary>
    WrongName = 13,

    /// <summary>The command is for another start of this device: a replay.</summary>
    WrongBoot = 14,

    /// <summary>Of a time that this device's synchronized clock has not reached by far.</summary>
    TimeAhead = 15,
}
