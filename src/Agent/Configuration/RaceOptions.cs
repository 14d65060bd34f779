using System.ComponentModel.DataAnnotations;
using Dunlin.Contracts.Race;

namespace Dunlin.Agent.Configuration;

/// <summary>Section <c>Race</c>: what the fastest variant is fastest at, and how good it must be.</summary>
public sealed class RaceOptions
{
    public const string Section = "Race";

    /// <summary><c>latency</c> (p95), <c>energy</c> (joules per inference) or <c>product</c>.</summary>
    [EnumDataType(typeof(Objective), ErrorMessage = "must be latency, energy or product")]
    public Objective Objective { get; set; } = Objective.Latency;

    /// <summary>Top-1 in 0…1 that a variant must have; the manifest's floor holds as well.</summary>
    [Range(0.0, 1.0)]
    public double AccuracyFloor { get; set; }

    /// <summary>Milliseconds from capture after which a frame is stale; 0 means none are.</summary>
    [Range(0, 600_000)]
    public double DeadlineMilliseconds { get; set; }

    /// <summary>Seconds that a race may take at most.</summary>
    [Range(1, 600)]
    public double BudgetSeconds { get; set; } = 20;

    /// <summary>Most intra-op threads to race; 0 means as many as there are usable cores.</summary>
    [Range(0, 256)]
    public int MaximumThreads { get; set; }

    /// <summary>Run only this variant; empty means that the race decides.</summary>
    public string Variant { get; set; } = "";
}
