using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Telemetry.Energy;

/// <summary>
/// Samples the board's meters at their own rates and tells the joules between two instants: for telemetry windows and, as a
/// delegate, for the race. A meter that vanishes leaves gaps and a problem, and comes back by itself.
/// </summary>
public sealed partial class EnergySampler : BackgroundService
{
    /// <summary>Idle power is known if readings cover this share of the measurement.</summary>
    private const double EnoughIdleCoverage = 0.8;

    /// <summary>How often idle power is looked at while it is measured.</summary>
    private static readonly TimeSpan IdleLook = TimeSpan.FromSeconds(0.5);

    /// <summary>A second's wait and a meter that takes its time.</summary>
    private static readonly TimeSpan LongestTick = TimeSpan.FromSeconds(5);

    private readonly TimeProvider _time;
    private readonly Func<double?> _readBusySeconds;
    private readonly ILogger<EnergySampler> _logger;
    private readonly EnergySeries? _measured, _estimated;
    private readonly string?[] _logged = new string?[2];
    private readonly LoopTick? _tick;
    private readonly double _maximumWatts;

    /// <param name="meters">Disposed by this.</param>
    /// <param name="options">Idle and highest power.</param>
    /// <param name="time">The clock of the meters' timestamps.</param>
    /// <param name="readBusySeconds">Busy seconds of all cores since boot, for finding a stuck sensor, and whether idle power is that.</param>
    /// <param name="logger">Hears of meters that fail and come back.</param>
    /// <param name="ticks">Hears that the loop turns; null if nobody watches.</param>
    public EnergySampler(DiscoveredMeters meters, PowerOptions options, TimeProvider time, Func<double?> readBusySeconds,
        ILogger<EnergySampler> logger, LoopTicks? ticks = null)
    {
        (_time, _readBusySeconds, _logger, _maximumWatts) = (time, readBusySeconds, logger, options.MaximumWatts);
        _measured = meters.Meter is { } meter ? new EnergySeries(meter, time, options.MaximumWatts, readBusySeconds) { IdleWatts = options.IdleWatts } : null;
        _estimated = meters.Estimate is { } estimate ? new EnergySeries(estimate, time, options.MaximumWatts, readBusySeconds) : null;
        Reasons = meters.Reasons;
        _tick = ticks?.Register("power", LongestTick);
    }

    /// <summary>Why which meter is used, in sentences.</summary>
    public IReadOnlyList<string> Reasons { get; }

    /// <summary>The meter that measures or derives; null if there is none.</summary>
    public PowerProvenance? Measured => _measured?.Provenance;

    /// <summary>The estimate; null if it is switched off.</summary>
    public PowerProvenance? Estimated => _estimated?.Provenance;

    /// <summary>What is wrong with the meters now, in sentences.</summary>
    public IReadOnlyList<string> Problems => [.. new[] { _measured?.Problem, _estimated?.Problem }.OfType<string>()];

    /// <summary>Reads each meter now, outside the service's loop, and says what is wrong.</summary>
    public IReadOnlyList<string> ReadOnce()
    {
        _measured?.Sample();
        _estimated?.Sample();
        return Problems;
    }

    /// <summary>Watts when nothing runs, configured or measured; null while unknown.</summary>
    public double? IdleWatts => _measured?.IdleWatts;

    /// <summary>Energy between two monotonic timestamps of the last minutes: measured or derived, else estimated; null if nothing is known.</summary>
    public EnergySpan? Joules(long from, long to) => _measured?.Integrate(from, to) ?? _estimated?.Integrate(from, to);

    /// <summary>The energy of a telemetry window; each series is null where there is no meter or it told nothing.</summary>
    /// <param name="from">Monotonic timestamp of the window's start.</param>
    /// <param name="to">And of its end; not in the future.</param>
    /// <param name="inferenceCount">Inferences of the window.</param>
    public EnergyWindow WindowOf(long from, long to, long inferenceCount) => new()
    {
        Measured = _measured?.ReadingOf(from, to, inferenceCount),
        Estimated = _estimated?.ReadingOf(from, to, inferenceCount),
    };

    /// <summary>
    /// Measures idle power for a while and uses it; call it when nothing runs and this service has started. Null if no meter
    /// measures, or its readings cover too little: at once where it does not answer, soon where it falls silent. A meter that
    /// shows nothing at all is not watched any longer.
    /// </summary>
    public async Task<IdleSpan?> MeasureIdleAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        if (_measured is null || !_measured.Sample()) return null;
        var (from, busy) = (_time.GetTimestamp(), _readBusySeconds());
        while (true)
        {
            var left = duration - _time.GetElapsedTime(from);
            // The last wait may have ended a little early, and the meter taken longer than what was left: a negative wait has no end.
            await Task.Delay(TimeSpan.FromTicks(Math.Clamp(left.Ticks, 0, IdleLook.Ticks)), _time, cancellationToken);
            var now = _time.GetTimestamp();
            var span = _measured.Integrate(from, now);
            var elapsed = _time.GetElapsedTime(from, now);
            if (elapsed.TotalSeconds - (span?.CoveredSeconds ?? 0) > (1 - EnoughIdleCoverage) * duration.TotalSeconds) return null;
            if (span is not { } known || (elapsed < duration && known.Joules > 0)) continue;
            _measured.IdleWatts = known.MeanWatts;
            LogIdleMeasured(known.MeanWatts, known.CoveredSeconds);
            return new IdleSpan(known, (_readBusySeconds() - busy) / elapsed.TotalSeconds);
        }
    }

    /// <summary>Takes idle power that was measured earlier; false if no meter measures or it cannot be true.</summary>
    public bool TryUseIdle(double watts)
    {
        if (_measured is null || !(watts >= 0 && watts <= _maximumWatts)) return false;
        _measured.IdleWatts = watts;
        return true;
    }

    public override void Dispose()
    {
        _measured?.Dispose();
        _estimated?.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach (var reason in Reasons) LogReason(reason);
        var series = new[] { _measured, _estimated }.OfType<EnergySeries>().ToArray();
        var due = new long[series.Length];
        Array.Fill(due, _time.GetTimestamp());
        var longest = TimeSpan.FromSeconds(1);
        using var timer = new PeriodicTimer(series.Select(one => one.Period).Append(longest).Min(), _time);
        var grace = Timestamps(timer.Period / 2);
        try
        {
            do
            {
                var now = _time.GetTimestamp();
                for (var i = 0; i < series.Length; i++)
                {
                    // Half a tick of grace, since ticks come a little early or late, and their rate need not be a multiple of this one.
                    if (now < due[i] - grace) continue;
                    var period = Timestamps(series[i].Period);
                    due[i] = Math.Max(due[i], now - period) + period;
                    series[i].Sample();
                    LogChange(i, series[i]);
                }
                _tick?.Tick();
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) { }
        finally { _tick?.Retire(); }
    }

    private long Timestamps(TimeSpan span) => (long)(span.TotalSeconds * _time.TimestampFrequency);

    private void LogChange(int index, EnergySeries series)
    {
        var problem = series.Problem;
        if (problem == _logged[index]) return;
        _logged[index] = problem;
        if (problem is null) LogMeterBack(series.Provenance.Description);
        else LogMeterFailed(problem);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Power meter: {Reason}")]
    private partial void LogReason(string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Idle power is {Watts} W over {Seconds} s")]
    private partial void LogIdleMeasured(double watts, double seconds);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Power meter failed: {Problem}")]
    private partial void LogMeterFailed(string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "Power meter {Meter} is back")]
    private partial void LogMeterBack(string meter);
}
