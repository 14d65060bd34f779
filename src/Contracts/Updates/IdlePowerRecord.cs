using System.Text.Json;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Messages;

namespace Dunlin.Contracts.Updates;

/// <summary>What the board draws when nothing runs, kept over restarts (<c>state/idle-power.json</c>): a start from a cached verdict has no idle moment to measure it in.</summary>
public sealed record IdlePowerRecord
{
    public const string CurrentSchema = "dunlin.idle-power.v1";

    public required string Schema { get; init; }
    public required double Watts { get; init; }

    /// <summary>Seconds that readings covered.</summary>
    public required double CoveredSeconds { get; init; }

    public required EnergyMethod Method { get; init; }
    public required EnergyScope Scope { get; init; }

    /// <summary>The kind of meter, for example <c>ina219</c>.</summary>
    public required string Source { get; init; }

    /// <summary>Which of its kind; the watts of another meter are no use.</summary>
    public required string Meter { get; init; }

    /// <summary>When it was measured, by this board's clock.</summary>
    public required DateTimeOffset Time { get; init; }

    /// <summary>SHA-256 of the record without this member.</summary>
    public Digest? Checksum { get; init; }
}

/// <summary>Reads and writes the <see cref="IdlePowerRecord"/> with its checksum.</summary>
public static class IdlePowerReader
{
    private const int MaximumTextLength = 256;
    private const double MaximumWatts = 100_000, MaximumSeconds = 86_400;

    public static DocumentResult<IdlePowerRecord> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read("record of idle power", json, StateRules.MaximumByteCount, StrictJson.Default.IdlePowerRecord, Check);

    /// <summary>The bytes with a fresh checksum.</summary>
    public static byte[] Write(IdlePowerRecord record) =>
        JsonSerializer.SerializeToUtf8Bytes(record with { Checksum = ChecksumOf(record) }, StrictJson.Default.IdlePowerRecord);

    private static void Check(IdlePowerRecord r, Findings f)
    {
        f.Schema("$.schema", r.Schema, IdlePowerRecord.CurrentSchema);
        f.Require(r.Watts is > 0 and <= MaximumWatts, "$.watts", r.Watts, $"must lie in 0…{MaximumWatts} W", "remove the file; it is measured anew");
        f.Require(r.CoveredSeconds is > 0 and <= MaximumSeconds, "$.coveredSeconds", r.CoveredSeconds, $"must lie in 0…{MaximumSeconds} s", "remove the file; it is measured anew");
        f.Text("$.source", r.Source, MaximumTextLength);
        f.Text("$.meter", r.Meter, MaximumTextLength);
        StateRules.Checksum(r.Checksum, ChecksumOf(r), f);
    }

    private static Digest ChecksumOf(IdlePowerRecord r) => StateRules.DigestOf(r with { Checksum = null }, StrictJson.Default.IdlePowerRecord);
}
