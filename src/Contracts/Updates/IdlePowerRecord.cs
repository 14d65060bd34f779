using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;
using Dunlin.Contracts.Messages;

namespace Dunlin.Contracts.Updates;

/// <summary>What the board draws when nothing runs, kept over restarts (<c>state/idle-power.json</c>): a start from a cached verdict has no idle moment to measure it in.</summary>
public sealed record IdlePowerRecord
{
    public const string CurrentSchema = "dunlin.idle-power.v1";

    public static DocumentFormat<IdlePowerRecord> Format { get; } = new("record of idle power", StateRules.MaximumByteCount, StrictJson.Default.IdlePowerRecord, StateRules.Check, StateRules.Seal);

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
