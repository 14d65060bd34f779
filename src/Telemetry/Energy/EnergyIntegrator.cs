using Dunlin.Telemetry.Power;

namespace Dunlin.Telemetry.Energy;

/// <summary>
/// Integrates power over the monotonic clock: trapezoids between readings of watts, differences between readings of a counter.
/// Keeps the newest stretches, so that any recent interval can be asked for. Time that no two readings enclose is a gap;
/// nothing is invented for it. Not thread-safe.
/// </summary>
/// <param name="time">The clock of the samples' timestamps.</param>
/// <param name="longestGap">Watts further apart than this are not joined.</param>
/// <param name="maximumWatts">Power above this is an error of the sensor.</param>
/// <param name="capacity">Stretches kept.</param>
internal sealed class EnergyIntegrator(TimeProvider time, TimeSpan longestGap, double maximumWatts, int capacity)
{
    /// <summary>A counter loses nothing between two readings, up to a round of its range; RAPL's lasts minutes at the least.</summary>
    private static readonly TimeSpan LongestCounterGap = TimeSpan.FromSeconds(60);

    /// <summary>The noise of an idle sensor around zero; what is lower flows the wrong way.</summary>
    private const double LowestWatts = -0.1;

    private readonly Stretch[] _stretches = new Stretch[capacity];
    private long _count;
    private PowerSample? _last;

    /// <summary>Timestamp of the newest accepted sample.</summary>
    public long? LastTimestamp => _last?.Timestamp;

    /// <summary>Takes a sample. Returns why it was refused, with the rest of a sentence about the sensor; null if it was accepted.</summary>
    public (MeterFault Fault, string What)? Add(PowerSample sample)
    {
        if (!double.IsFinite(sample.Raw)) return (MeterFault.NoNumber, $"gives {sample.Raw}, which is no number; check its driver");
        if (sample.Watts is { } watts)
        {
            if (watts < LowestWatts) return (MeterFault.Negative, $"gives {watts:0.###} W; power is not negative: turn the shunt's two wires round");
            if (watts > maximumWatts) return (MeterFault.TooHigh, $"gives {watts:0.###} W; more than {maximumWatts} W is taken for an error: check the shunt's resistance");
            sample = sample with { Watts = Math.Max(0, watts) };
        }
        if (_last is not { } last)
        {
            _last = sample;
            return null;
        }
        if (sample.Timestamp <= last.Timestamp) return null;
        var elapsed = time.GetElapsedTime(last.Timestamp, sample.Timestamp);
        if (sample.Watts is { } now && last.Watts is { } before)
        {
            if (elapsed <= longestGap) Append(new Stretch(last.Timestamp, sample.Timestamp, before, now));
        }
        else if (sample.CumulativeJoules - last.CumulativeJoules is { } joules)
        {
            var mean = joules / elapsed.TotalSeconds;
            if (joules < 0 || mean > maximumWatts)
            {
                _last = sample;
                return joules < 0
                    ? (MeterFault.CountsBackwards, "counts backwards; it has begun anew")
                    : (MeterFault.TooHigh, $"counts {mean:0.###} W; more than {maximumWatts} W is taken for an error");
            }
            if (elapsed <= LongestCounterGap) Append(new Stretch(last.Timestamp, sample.Timestamp, mean, mean));
        }
        _last = sample;
        return null;
    }

    /// <summary>Takes back all after an instant: it has turned out that the sensor was stuck.</summary>
    public void DropSince(long timestamp)
    {
        while (_count > 0 && Newest(0).To > timestamp) _count--;
        _last = null;
    }

    /// <summary>Joules between two timestamps, and the seconds of them that stretches cover.</summary>
    public (double Joules, double CoveredSeconds) Integrate(long from, long to)
    {
        var (joules, covered) = (0.0, 0.0);
        for (var i = 0; i < Math.Min(_count, capacity); i++)
        {
            ref readonly var stretch = ref Newest(i);
            if (stretch.To <= from) break;
            if (stretch.From >= to) continue;
            var (start, end) = (Math.Max(from, stretch.From), Math.Min(to, stretch.To));
            var seconds = time.GetElapsedTime(start, end).TotalSeconds;
            joules += (stretch.WattsAt(start) + stretch.WattsAt(end)) / 2 * seconds;
            covered += seconds;
        }
        return (joules, covered);
    }

    private void Append(Stretch stretch) => _stretches[_count++ % capacity] = stretch;

    private ref readonly Stretch Newest(int index) => ref _stretches[(_count - 1 - index) % capacity];

    /// <summary>Power that runs straight from one value to another.</summary>
    private readonly record struct Stretch(long From, long To, double WattsFrom, double WattsTo)
    {
        public double WattsAt(long timestamp) => WattsFrom + (WattsTo - WattsFrom) * (timestamp - From) / (To - From);
    }
}
