using Dunlin.Contracts.Messages;

namespace Dunlin.Agent.Racing;

/// <summary>How the race learns about joules without knowing meters.</summary>
internal sealed record EnergyProbe
{
    /// <summary>Watts that a busy core is taken to add; null: no estimate.</summary>
    public double? WattsPerCore { get; init; }

    /// <summary>Joules between two monotonic timestamps, and what measured or derived them; null if no meter does.</summary>
    public Func<long, long, MeteredJoules?>? Metered { get; init; }

    /// <summary>Samples per second of the meter.</summary>
    public double SamplesPerSecond { get; init; }
}

/// <summary>What a meter says of a stretch of time.</summary>
internal readonly record struct MeteredJoules(double Joules, EnergyMethod Method, string Source);
