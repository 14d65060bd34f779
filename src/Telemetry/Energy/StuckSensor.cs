using Dunlin.Telemetry.Power;

namespace Dunlin.Telemetry.Energy;

/// <summary>
/// Finds a sensor that gives the same value again and again: a counter that stands, or watts to the last bit equal while the
/// board's load changes. A coarse sensor on an even load is not stuck.
/// </summary>
/// <param name="time">The clock of the samples' timestamps.</param>
/// <param name="readBusySeconds">Busy seconds of all cores since boot; null if unknown, and then watts are never called stuck.</param>
internal sealed class StuckSensor(TimeProvider time, Func<double?> readBusySeconds)
{
    /// <summary>Equal values in a row.</summary>
    public const int EnoughSamples = 30;

    /// <summary>Busy cores by which the load must have changed meanwhile.</summary>
    public const double EnoughLoadChange = 0.25;

    private static readonly TimeSpan LoadInterval = TimeSpan.FromSeconds(1);

    private double _value = double.NaN;
    private int _equalCount;
    private double? _busyBefore;
    private long _busyTimestamp;
    private double _lowestLoad, _highestLoad;

    /// <summary>When the run of equal values began.</summary>
    public long RunStart { get; private set; }

    /// <summary>True if the sensor is stuck since <see cref="RunStart"/>.</summary>
    public bool Observe(PowerSample sample)
    {
        if (!sample.Raw.Equals(_value))
        {
            (_value, _equalCount, RunStart) = (sample.Raw, 1, sample.Timestamp);
            (_lowestLoad, _highestLoad) = (double.PositiveInfinity, double.NegativeInfinity);
            (_busyBefore, _busyTimestamp) = (readBusySeconds(), sample.Timestamp);
            return false;
        }
        _equalCount++;
        ObserveLoad(sample.Timestamp);
        return _equalCount >= EnoughSamples && (sample.CumulativeJoules is not null || _highestLoad - _lowestLoad >= EnoughLoadChange);
    }

    private void ObserveLoad(long timestamp)
    {
        var elapsed = time.GetElapsedTime(_busyTimestamp, timestamp);
        if (elapsed < LoadInterval) return;
        var busy = readBusySeconds();
        if ((busy - _busyBefore) / elapsed.TotalSeconds is { } load)
            (_lowestLoad, _highestLoad) = (Math.Min(_lowestLoad, load), Math.Max(_highestLoad, load));
        (_busyBefore, _busyTimestamp) = (busy, timestamp);
    }
}
