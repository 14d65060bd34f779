using Dunlin.Bundles.State;
using Dunlin.Contracts.Updates;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Power;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Energy;

/// <summary>
/// Knows what the board draws when nothing runs: configured, kept from an earlier start, or measured now. Without it net
/// joules are null.
/// </summary>
internal sealed partial class IdlePower(EnergySampler energy, StateFiles files, TimeProvider time, ILogger<IdlePower> logger)
{
    /// <summary>Above this the board was busy with something else, as it is while it boots.</summary>
    private const double MostBusyCores = 0.1;

    private static readonly TimeSpan MeasuringTime = TimeSpan.FromSeconds(3);

    /// <summary>
    /// Call while nothing runs. Returns at once where idle power is configured, kept for this very meter, or no meter measures;
    /// else measures for a few seconds and keeps the result durably; on a busy board it is for this run only. A damaged record is measured anew. A meter that fails
    /// costs no time.
    /// </summary>
    public async Task LearnAsync(CancellationToken cancellationToken)
    {
        if (energy.Measured is not { } meter || energy.IdleWatts is not null) return;
        var kept = files.ReadIdlePower();
        if (kept.Problem is { } problem) LogDamaged(problem);
        if (kept.Value is { } record && IsOf(record, meter) && energy.TryUseIdle(record.Watts))
        {
            LogKept(record.Watts, record.Time);
            return;
        }

        if (await energy.MeasureIdleAsync(MeasuringTime, cancellationToken) is { } idle) Keep(idle, meter);
        else LogUnknown(string.Join(" ", energy.Problems.DefaultIfEmpty($"{meter.Description} answers too seldom.")));
    }

    private static bool IsOf(IdlePowerRecord record, PowerProvenance meter) =>
        record.Method == meter.Method && record.Scope == meter.Scope && record.Source == meter.Source && record.Meter == meter.Description;

    private void Keep(IdleSpan idle, PowerProvenance meter)
    {
        var span = idle.Energy;
        // A meter that gives nothing when idle, as RAPL in a guest may, is known for this run and looked at again at the next.
        if (!(span.MeanWatts > 0)) return;
        if (idle.BusyCores is > MostBusyCores and var busyCores)
        {
            LogBusy(span.MeanWatts, busyCores);
            return;
        }

        try
        {
            files.WriteIdlePower(new IdlePowerRecord
            {
                Schema = IdlePowerRecord.CurrentSchema,
                Watts = span.MeanWatts,
                CoveredSeconds = span.CoveredSeconds,
                Method = meter.Method,
                Scope = meter.Scope,
                Source = meter.Source,
                Meter = meter.Description,
                Time = time.GetUtcNow(),
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotKept(e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Idle power is {Watts} W, measured at {Time} and kept")]
    private partial void LogKept(double watts, DateTimeOffset time);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Idle power is taken to be {Watts} W for this run only, because {BusyCores:0.00} cores were busy meanwhile: the next start measures it again, or set Power:IdleWatts")]
    private partial void LogBusy(double watts, double busyCores);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Idle power is not known, so net joules are null until a start at which the meter answers, or set Power:IdleWatts. {Problem}")]
    private partial void LogUnknown(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Idle power is measured anew: {Problem}")]
    private partial void LogDamaged(string problem);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Idle power not kept, so the next start measures it again: {Why}")]
    private partial void LogNotKept(string why);
}
