using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Signing;

namespace Dunlin.Contracts.Updates;

/// <summary><c>state/journal.json</c>: the one update under way, or the last one.</summary>
public sealed record Journal
{
    public const string CurrentSchema = "dunlin.journal.v1";

    public static DocumentFormat<Journal> Format { get; } = new("journal", StateRules.MaximumByteCount, StrictJson.Default.Journal, StateRules.Check, StateRules.Seal);

    public required string Schema { get; init; }
    public required UpdateState State { get; init; }

    /// <summary>Digest of the directive's payload; null when idle since installation.</summary>
    public Digest? Directive { get; init; }

    /// <summary>The signed directive itself, so that a restart needs neither network nor broker to go on with its sources and policy.</summary>
    public DsseEnvelope? Envelope { get; init; }

    public Digest? Release { get; init; }

    /// <summary>What <c>active</c> named before the switch.</summary>
    public Digest? Previous { get; init; }

    /// <summary>Starts of the trial so far; persisted before each. One that ended in good order is taken off again.</summary>
    public int Tries { get; init; }

    /// <summary>Transitions of this directive; more than 40 end it.</summary>
    public int Transitions { get; init; }

    /// <summary>Windows of the trial that had not enough frames.</summary>
    public int EmptyWindows { get; init; }

    /// <summary>A code of <c>docs/operations.md</c> for an ended update.</summary>
    public string? Reason { get; init; }

    /// <summary>The same in a sentence.</summary>
    public string? Detail { get; init; }

    /// <summary>Digest of this record with the checksum left out.</summary>
    public Digest? Checksum { get; init; }
}

/// <summary><c>trust/floors.json</c>: what may never fall. Written last, in one atomic record.</summary>
public sealed record Floors
{
    public const string CurrentSchema = "dunlin.floors.v1";

    public static DocumentFormat<Floors> Format { get; } = new("floors", StateRules.MaximumByteCount, StrictJson.Default.Floors, StateRules.Check, StateRules.Seal);

    public required string Schema { get; init; }

    /// <summary>The version of the root that these floors stand under.</summary>
    public required int RootVersion { get; init; }

    /// <summary>
    /// The directive and fresh keys that <see cref="Counter"/> and <see cref="Time"/> were learned under. If a root no
    /// longer lists one of them, both start again: recovery from a stolen key that had run them forward.
    /// </summary>
    public required IReadOnlyList<string> OnlineKeyIds { get; init; }

    /// <summary>The highest directive counter accepted.</summary>
    public required long Counter { get; init; }

    /// <summary>The highest security epoch committed.</summary>
    public required int SecurityEpoch { get; init; }

    /// <summary>The latest signed time seen.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>Digest of this record with the checksum left out.</summary>
    public Digest? Checksum { get; init; }
}

/// <summary><c>state/seen.json</c>: how directives ended, so that the same one again gets the old outcome again.</summary>
public sealed record Seen
{
    public const string CurrentSchema = "dunlin.seen.v1";

    public static DocumentFormat<Seen> Format { get; } = new("record of seen directives", StateRules.MaximumByteCount, StrictJson.Default.Seen, StateRules.Check, seal: static s => s);

    public required string Schema { get; init; }

    /// <summary>By digest of the directive's payload.</summary>
    public required IReadOnlyDictionary<Digest, SeenDirective> Directives { get; init; }
}

public sealed record SeenDirective
{
    public required UpdateState Result { get; init; }
    public string? Reason { get; init; }
    public required DateTimeOffset Time { get; init; }
}

/// <summary><c>state/quarantine.json</c>: what this board will not try again.</summary>
public sealed record Quarantine
{
    public const string CurrentSchema = "dunlin.quarantine.v1";

    public static DocumentFormat<Quarantine> Format { get; } = new("quarantine", StateRules.MaximumByteCount, StrictJson.Default.Quarantine, StateRules.Check, seal: static q => q);

    public required string Schema { get; init; }
    public required IReadOnlyList<QuarantineEntry> Entries { get; init; }
}

public sealed record QuarantineEntry
{
    /// <summary>A variant's blob for a failed check, a release id for a failed trial.</summary>
    public required Digest Digest { get; init; }

    /// <summary>For checks: only under this ONNX Runtime; null for trials.</summary>
    public string? OnnxRuntimeVersion { get; init; }

    public required string Reason { get; init; }
    public required string Detail { get; init; }
    public required DateTimeOffset Time { get; init; }
}
