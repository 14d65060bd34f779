using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Signing;

namespace Dunlin.Contracts.Updates;

/// <summary>What must hold in the records that a board keeps, and the checksum that shows damage in them.</summary>
internal static class StateRules
{
    internal const int MaximumByteCount = 4 * 1024 * 1024;
    private const int MaximumTextLength = 256;
    private const double MaximumWatts = 100_000, MaximumSeconds = 86_400;

    internal static void Check(Floors s, Findings f)
    {
        f.Schema("$.schema", s.Schema, Floors.CurrentSchema);
        f.Between("$.rootVersion", s.RootVersion, 0, int.MaxValue, "");
        f.Between("$.counter", s.Counter, 0, long.MaxValue, "");
        f.Between("$.securityEpoch", s.SecurityEpoch, 0, int.MaxValue, "");
        f.Items("$.onlineKeyIds", s.OnlineKeyIds, 0, 2 * RootRules.MaximumKeyCount);
        Checksum(s.Checksum, Seal(s).Checksum, f);
    }

    internal static void Check(Journal j, Findings f)
    {
        f.Schema("$.schema", j.Schema, Journal.CurrentSchema);
        f.Between("$.tries", j.Tries, 0, int.MaxValue, "");
        f.Between("$.transitions", j.Transitions, 0, int.MaxValue, "");
        f.Between("$.emptyWindows", j.EmptyWindows, 0, int.MaxValue, "");
        f.Require(j.State == UpdateState.Idle || (j.Directive is not null && j.Release is not null), "$.state", j.State, "must be idle while directive or release is absent", "remove the file; the backup is used");
        if (j.Envelope is { } envelope) EnvelopeRules.Check("$.envelope", envelope, f);
        Checksum(j.Checksum, Seal(j).Checksum, f);
    }

    internal static void Check(Seen s, Findings f)
    {
        f.Schema("$.schema", s.Schema, Seen.CurrentSchema);
        foreach (var (digest, directive) in s.Directives)
        {
            if (f.Require(directive is not null, $"$.directives.{digest}", "null", "must not be null", "remove it"))
                f.Require(directive!.Result is UpdateState.Committed or UpdateState.Rejected or UpdateState.RolledBack or UpdateState.Cancelled,
                    $"$.directives.{digest}.result", directive.Result, "must be committed, rejected, rolledBack or cancelled", "remove the entry");
        }
    }

    internal static void Check(Quarantine q, Findings f)
    {
        f.Schema("$.schema", q.Schema, Quarantine.CurrentSchema);
        f.Items("$.entries", q.Entries, 0, 4096);
    }

    internal static void Check(IdlePowerRecord r, Findings f)
    {
        f.Schema("$.schema", r.Schema, IdlePowerRecord.CurrentSchema);
        f.Require(r.Watts is > 0 and <= MaximumWatts, "$.watts", r.Watts, $"must lie in 0…{MaximumWatts} W", "remove the file; it is measured anew");
        f.Require(r.CoveredSeconds is > 0 and <= MaximumSeconds, "$.coveredSeconds", r.CoveredSeconds, $"must lie in 0…{MaximumSeconds} s", "remove the file; it is measured anew");
        f.Text("$.source", r.Source, MaximumTextLength);
        f.Text("$.meter", r.Meter, MaximumTextLength);
        Checksum(r.Checksum, Seal(r).Checksum, f);
    }

    internal static Floors Seal(Floors s) => s with { Checksum = DigestOf(s with { Checksum = null }, StrictJson.Default.Floors) };

    internal static Journal Seal(Journal j) => j with { Checksum = DigestOf(j with { Checksum = null }, StrictJson.Default.Journal) };

    internal static IdlePowerRecord Seal(IdlePowerRecord r) => r with { Checksum = DigestOf(r with { Checksum = null }, StrictJson.Default.IdlePowerRecord) };

    private static Digest DigestOf<T>(T record, JsonTypeInfo<T> type) => Digest.Of(JsonSerializer.SerializeToUtf8Bytes(record, type));

    private static void Checksum(Digest? stated, Digest? computed, Findings f) =>
        f.Require(stated == computed, "$.checksum", stated, $"must be {computed}, the digest of the record without it", "the file is damaged; use its backup");
}
