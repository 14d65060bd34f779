using Dunlin.Contracts.Messages;

namespace Dunlin.Telemetry.Power;

/// <summary>
/// A source of watts or joules. One thread uses it. A meter that fails says why and heals itself: each read tries anew.
/// </summary>
public interface IPowerMeter : IDisposable
{
    PowerProvenance Provenance { get; }

    /// <summary>Why the last <see cref="TryRead"/> failed, as a sentence; null if it did not.</summary>
    string? Problem { get; }

    /// <summary>Files and devices that it opens and that are not everybody's, so that a user may be refused.</summary>
    IReadOnlyList<string> GuardedFiles => [];

    /// <summary>Reads once. False, with a <see cref="Problem"/>, if there is nothing to read; never throws for a sensor's failure.</summary>
    bool TryRead(out PowerSample sample);
}

/// <summary>Where watts come from; readings of different provenance are never one series.</summary>
/// <param name="Method">How the watts come about.</param>
/// <param name="Scope">What they feed.</param>
/// <param name="Source"><see cref="EnergyReading.Source"/>.</param>
/// <param name="SamplesPerSecond">How often the meter is to be read.</param>
/// <param name="Uncertainty">Relative standard uncertainty, 0…1, of a mean power: gain error and, where there is one, shunt tolerance.</param>
/// <param name="Description">Which sensor, for a person: bus and address, or path and rail.</param>
public sealed record PowerProvenance(EnergyMethod Method, string Source, EnergyScope Scope, double SamplesPerSecond, double Uncertainty, string Description);

/// <summary>Watts at an instant, or joules counted since some instant; never both.</summary>
/// <param name="Timestamp">Monotonic, of <see cref="TimeProvider.GetTimestamp"/>.</param>
/// <param name="Watts">Power, if the sensor gives power.</param>
/// <param name="CumulativeJoules">Counter, if the sensor counts; its wrap-around is already undone.</param>
public readonly record struct PowerSample(long Timestamp, double? Watts, double? CumulativeJoules)
{
    public static PowerSample OfWatts(long timestamp, double watts) => new(timestamp, watts, null);

    public static PowerSample OfJoules(long timestamp, double joules) => new(timestamp, null, joules);

    /// <summary>The one number that the sensor gave.</summary>
    public double Raw => Watts ?? CumulativeJoules ?? double.NaN;
}
