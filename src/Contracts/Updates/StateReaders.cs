using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Signing;

namespace Dunlin.Contracts.Updates;

/// <summary>Reads and writes <see cref="Floors"/> with their checksum.</summary>
public static class FloorsReader
{
    public static DocumentResult<Floors> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("floors", json, StateRules.MaximumByteCount, StrictJson.Default.Floors, Check);

    /// <summary>The bytes with a fresh checksum.</summary>
    public static byte[] Write(Floors floors) =>
        JsonSerializer.SerializeToUtf8Bytes(floors with { Checksum = ChecksumOf(floors) }, StrictJson.Default.Floors);

    private static void Check(Floors s, Findings f)
    {
        f.Schema("$.schema", s.Schema, Floors.CurrentSchema);
        f.Between("$.rootVersion", s.RootVersion, 0, int.MaxValue, "");
        f.Between("$.counter", s.Counter, 0, long.MaxValue, "");
        f.Between("$.securityEpoch", s.SecurityEpoch, 0, int.MaxValue, "");
        f.Items("$.onlineKeyIds", s.OnlineKeyIds, 0, 2 * RootRules.MaximumKeyCount);
        StateRules.Checksum(s.Checksum, ChecksumOf(s), f);
    }

    private static Digest ChecksumOf(Floors s) => StateRules.DigestOf(s with { Checksum = null }, StrictJson.Default.Floors);
}

/// <summary>Reads and writes the <see cref="Journal"/> with its checksum.</summary>
public static class JournalReader
{
    public static DocumentResult<Journal> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("journal", json, StateRules.MaximumByteCount, StrictJson.Default.Journal, Check);

    /// <summary>The bytes with a fresh checksum.</summary>
    public static byte[] Write(Journal journal) =>
        JsonSerializer.SerializeToUtf8Bytes(journal with { Checksum = ChecksumOf(journal) }, StrictJson.Default.Journal);

    private static void Check(Journal j, Findings f)
    {
        f.Schema("$.schema", j.Schema, Journal.CurrentSchema);
        f.Between("$.tries", j.Tries, 0, int.MaxValue, "");
        f.Between("$.transitions", j.Transitions, 0, int.MaxValue, "");
        f.Between("$.emptyWindows", j.EmptyWindows, 0, int.MaxValue, "");
        f.Require(j.State == UpdateState.Idle || (j.Directive is not null && j.Release is not null), "$.state", j.State, "must be idle while directive or release is absent", "remove the file; the backup is used");
        if (j.Envelope is { } envelope) EnvelopeReader.Check("$.envelope", envelope, f);
        StateRules.Checksum(j.Checksum, ChecksumOf(j), f);
    }

    private static Digest ChecksumOf(Journal j) => StateRules.DigestOf(j with { Checksum = null }, StrictJson.Default.Journal);
}

/// <summary>Reads and writes <see cref="Seen"/>.</summary>
public static class SeenReader
{
    public static DocumentResult<Seen> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("record of seen directives", json, StateRules.MaximumByteCount, StrictJson.Default.Seen, Check);

    public static byte[] Write(Seen seen) => JsonSerializer.SerializeToUtf8Bytes(seen, StrictJson.Default.Seen);

    private static void Check(Seen s, Findings f)
    {
        f.Schema("$.schema", s.Schema, Seen.CurrentSchema);
        foreach (var (digest, directive) in s.Directives)
        {
            if (f.Require(directive is not null, $"$.directives.{digest}", "null", "must not be null", "remove it"))
                f.Require(directive!.Result is UpdateState.Committed or UpdateState.Rejected or UpdateState.RolledBack or UpdateState.Cancelled,
                    $"$.directives.{digest}.result", directive.Result, "must be committed, rejected, rolledBack or cancelled", "remove the entry");
        }
    }
}

/// <summary>Reads and writes the <see cref="Quarantine"/>.</summary>
public static class QuarantineReader
{
    public static DocumentResult<Quarantine> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("quarantine", json, StateRules.MaximumByteCount, StrictJson.Default.Quarantine, Check);

    public static byte[] Write(Quarantine quarantine) => JsonSerializer.SerializeToUtf8Bytes(quarantine, StrictJson.Default.Quarantine);

    private static void Check(Quarantine q, Findings f)
    {
        f.Schema("$.schema", q.Schema, Quarantine.CurrentSchema);
        f.Items("$.entries", q.Entries, 0, 4096);
    }
}

internal static class StateRules
{
    internal const int MaximumByteCount = 4 * 1024 * 1024;

    internal static Digest DigestOf<T>(T record, JsonTypeInfo<T> type) => Digest.Of(JsonSerializer.SerializeToUtf8Bytes(record, type));

    internal static void Checksum(Digest? stated, Digest computed, Findings f) =>
        f.Require(stated == computed, "$.checksum", stated, $"must be {computed}, the digest of the record without it", "the file is damaged; use its backup");
}
