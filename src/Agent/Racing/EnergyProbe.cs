namespace Dunlin.Agent.Racing;

/// <summary>How the race learns about joules without knowing meters.</summary>
internal sealed record EnergyProbe
{
    /// <summary>Watts that a busy core is taken to add; null: no estimate.</summary>
    public double? WattsPerCore { get; init; }

    /// <summary>Joules between two monotonic timestamps, and what measured them; null if no meter measures.</summary>
    public Func<long, long, (double Joules, string Source)?>? Metered { get; init; }

    /// <summary>Samples per second of the meter.</summary>
    public double SamplesPerSecond { get; init; }
}
