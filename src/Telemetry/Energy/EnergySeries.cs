using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Power;

namespace Dunlin.Telemetry.Energy;

/// <summary>Joules between two instants, with their provenance.</summary>
/// <param name="Joules">Gross energy over <paramref name="CoveredSeconds"/>.</param>
/// <param name="CoveredSeconds">Seconds that readings enclose.</param>
/// <param name="GapSeconds">Seconds of which nothing is known.</param>
/// <param name="Provenance">Where the joules come from.</param>
public readonly record struct EnergySpan(double Joules, double CoveredSeconds, double GapSeconds, PowerProvenance Provenance)
{
    /// <summary>Mean power in watts.</summary>
    public double MeanWatts => Joules / CoveredSeconds;

    /// <summary>Share 0…1 of the time that readings enclose.</summary>
    public double Coverage => CoveredSeconds / (CoveredSeconds + GapSeconds);
}

/// <summary>Power when nothing of ours runs.</summary>
/// <param name="Energy">What the meter showed.</param>
/// <param name="BusyCores">Cores that were busy meanwhile, with whatever else the board does; null if unknown.</param>
public readonly record struct IdleSpan(EnergySpan Energy, double? BusyCores);

/// <summary>One meter and its integral. Threads may sample and ask at the same time.</summary>
internal sealed class EnergySeries : IDisposable
{
    private const double SecondsPerDay = 86_400;

    /// <summary>Below this share of a window nothing is said per inference.</summary>
    private const double LeastCoverage = 0.5;

    private const double LongestWindowSeconds = 3600;

    /// <summary>Of readings beside the regular ones: each question for energy is one.</summary>
    private const double ExtraReadings = 0.25;

    private const int LeastCapacity = 4096;

    private static readonly TimeSpan ShortestGap = TimeSpan.FromSeconds(0.5);

    private readonly IPowerMeter _meter;
    private readonly TimeProvider _time;
    private readonly EnergyIntegrator _integrator;
    private readonly StuckSensor? _stuck;
    private readonly MeterHealth _health;
    private readonly Lock _lock = new();

    /// <param name="meter">Disposed by this.</param>
    /// <param name="time">The clock of the meter's timestamps.</param>
    /// <param name="maximumWatts">Power above this is an error of the sensor.</param>
    /// <param name="readBusySeconds">For finding a stuck sensor.</param>
    public EnergySeries(IPowerMeter meter, TimeProvider time, double maximumWatts, Func<double?> readBusySeconds)
    {
        (_meter, _time) = (meter, time);
        Period = TimeSpan.FromSeconds(1 / meter.Provenance.SamplesPerSecond);
        var longestGap = 2.5 * Period;
        _health = new MeterHealth(time);
        _integrator = new EnergyIntegrator(time, longestGap > ShortestGap ? longestGap : ShortestGap, maximumWatts, CapacityFor(meter.Provenance.SamplesPerSecond));
        // An estimate stands still whenever the processes do.
        _stuck = meter.Provenance.Method == EnergyMethod.Estimated ? null : new StuckSensor(time, readBusySeconds);
    }

    public TimeSpan Period { get; }
    public PowerProvenance Provenance => _meter.Provenance;

    /// <summary>What is wrong with the meter, as a sentence; null if nothing is.</summary>
    public string? Problem { get { lock (_lock) return _health.Problem; } }

    /// <summary>Watts when nothing runs; null while unknown.</summary>
    public double? IdleWatts { get; set; }

    /// <summary>Reads the meter; false if that told nothing.</summary>
    public bool Sample()
    {
        lock (_lock) return Read();
    }

    /// <summary>The energy between two timestamps; null if no reading tells anything of it.</summary>
    public EnergySpan? Integrate(long from, long to)
    {
        lock (_lock)
        {
            // Closes the stretch from the last tick until now.
            if (!(_integrator.LastTimestamp >= to)) Read();
            var (joules, covered) = _integrator.Integrate(from, to);
            return covered > 0 ? new EnergySpan(joules, covered, Math.Max(0, _time.GetElapsedTime(from, to).TotalSeconds - covered), Provenance) : null;
        }
    }

    public EnergyReading? ReadingOf(long from, long to, long inferenceCount)
    {
        if (Integrate(from, to) is not { } span) return null;
        var idle = Provenance.Scope == EnergyScope.Process ? null : IdleWatts;
        var net = span.Joules - idle * span.CoveredSeconds;
        // Inferences fall into gaps as often as into the rest.
        double? inferences = inferenceCount > 0 && span.Coverage >= LeastCoverage ? inferenceCount * span.Coverage : null;
        return new EnergyReading
        {
            Method = Provenance.Method,
            Source = Provenance.Source,
            Scope = Provenance.Scope,
            Joules = span.Joules,
            NetJoules = net,
            CoveredSeconds = span.CoveredSeconds,
            GapSeconds = span.GapSeconds,
            SamplesPerSecond = Provenance.SamplesPerSecond,
            Uncertainty = Provenance.Uncertainty,
            JoulesPerInference = span.Joules / inferences,
            NetJoulesPerInference = net / inferences,
            JoulesPerDay = span.MeanWatts * SecondsPerDay,
        };
    }

    public void Dispose()
    {
        lock (_lock) _meter.Dispose();
    }

    /// <summary>Stretches of the longest window that may be asked for: what was forgotten would be told as a gap.</summary>
    private static int CapacityFor(double samplesPerSecond) => Math.Max(LeastCapacity,
        (int)((1 + ExtraReadings) * Math.Min(LongestWindowSeconds * samplesPerSecond, PowerOptions.MostReadingsPerWindow)));

    private bool Read()
    {
        if (Fault() is var (fault, sentence))
        {
            _health.Bad(fault, sentence);
            return false;
        }

        _health.Good();
        return true;
    }

    private (MeterFault Fault, string Sentence)? Fault()
    {
        if (!_meter.TryRead(out var sample)) return (MeterFault.Silent, _meter.Problem ?? $"{Provenance.Description} gives nothing.");
        if (_stuck?.Observe(sample) == true)
        {
            _integrator.DropSince(_stuck.RunStart);
            return (MeterFault.Stuck, $"{Provenance.Description} has given {sample.Raw} for {_time.GetElapsedTime(_stuck.RunStart, sample.Timestamp).TotalSeconds:0} s and is taken to be stuck; check the sensor.");
        }

        return _integrator.Add(sample) is var (fault, what) ? (fault, $"{Provenance.Description} {what}.") : null;
    }
}
