using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;

namespace Dunlin.Agent.Racing;

/// <summary>How the race learns about joules.</summary>
internal sealed record EnergyProbe
{
    /// <summary>Watts that a busy core is taken to add; null: no estimate.</summary>
    public double? WattsPerCore { get; init; }

    /// <summary>Joules between two monotonic timestamps, and what measured or derived them; null if no meter does.</summary>
    public Func<long, long, MeteredJoules?>? Metered { get; init; }

    /// <summary>Samples per second of the meter.</summary>
    public double SamplesPerSecond { get; init; }

    /// <summary>What measures or derives, for example <c>ina219</c>; null if no meter does.</summary>
    public string? Meter { get; init; }

    /// <summary>What the board's meters say, while <paramref name="sampler"/> runs.</summary>
    public static EnergyProbe Of(PowerOptions options, EnergySampler sampler) => new()
    {
        WattsPerCore = options.WattsPerCore > 0 ? options.WattsPerCore : null,
        Meter = sampler.Measured?.Source,
        SamplesPerSecond = sampler.Measured?.SamplesPerSecond ?? 0,
        Metered = sampler.Measured is null ? null : (from, to) => sampler.Joules(from, to) is { Provenance.Method: not EnergyMethod.Estimated } span
            ? new MeteredJoules(span.Joules, span.Coverage, span.Provenance.Method, span.Provenance.Source)
            : null,
    };
}

/// <summary>What a meter says of a stretch of time.</summary>
/// <param name="Joules">Of the time that its readings enclose.</param>
/// <param name="Coverage">The share of that time, 0…1.</param>
/// <param name="Method">Measured or derived.</param>
/// <param name="Source">For example <c>ina219</c>.</param>
internal readonly record struct MeteredJoules(double Joules, double Coverage, EnergyMethod Method, string Source);
