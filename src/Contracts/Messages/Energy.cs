using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Messages;

/// <summary>Joules over a window with their provenance.</summary>
public sealed record EnergyReading
{
    public required EnergyMethod Method { get; init; }

    /// <summary><c>ina219</c>, <c>ina236</c>, <c>hwmon</c>, <c>iio</c>, <c>rpi5-pmic</c>, <c>rapl</c>, <c>cpu-time</c>.</summary>
    public required string Source { get; init; }

    public required EnergyScope Scope { get; init; }

    /// <summary>Gross energy over <see cref="CoveredSeconds"/>.</summary>
    public required double Joules { get; init; }

    /// <summary>Gross minus idle power × time; null while the idle power is unknown.</summary>
    public double? NetJoules { get; init; }

    /// <summary>Seconds of the window that samples cover; the rest is <see cref="GapSeconds"/>.</summary>
    public required double CoveredSeconds { get; init; }

    public required double GapSeconds { get; init; }
    public required double SamplesPerSecond { get; init; }

    /// <summary>Relative standard uncertainty, 0…1.</summary>
    public required double Uncertainty { get; init; }

    /// <summary>Null if nothing was classified, or samples cover less than half of the window.</summary>
    public double? JoulesPerInference { get; init; }

    public double? NetJoulesPerInference { get; init; }

    /// <summary>This window's mean power over 86,400 s.</summary>
    public required double JoulesPerDay { get; init; }
}

/// <summary>How the watts came about.</summary>
public enum EnergyMethod
{
    /// <summary>By a sensor in the supply.</summary>
    [JsonStringEnumMemberName("measured")] Measured = 1,

    /// <summary>By the silicon's own model (RAPL) or from measured voltage and current.</summary>
    [JsonStringEnumMemberName("derived")] Derived = 2,

    /// <summary>CPU time × a configured power per core.</summary>
    [JsonStringEnumMemberName("estimated")] Estimated = 3,
}

/// <summary>What the watts feed.</summary>
public enum EnergyScope
{
    [JsonStringEnumMemberName("board")] Board = 1,
    [JsonStringEnumMemberName("rail")] Rail = 2,
    [JsonStringEnumMemberName("package")] Package = 3,

    /// <summary>The processes of Dunlin only.</summary>
    [JsonStringEnumMemberName("process")] Process = 4,
}
