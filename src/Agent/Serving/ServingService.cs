using System.Threading.Channels;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Updates;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Liveness;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Serving;

/// <summary>
/// The device's day: open the bundle, take the cached verdict or race, serve with the winner, and look again when the board no
/// longer runs as the verdict says, when somebody asks, or when frames come too late.
/// </summary>
internal sealed partial class ServingService : BackgroundService
{
    private static readonly TimeSpan LongestTickInterval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(10);

    private readonly ServingParts _parts;
    private readonly DeviceReport _report;
    private readonly TimeProvider _time;
    private readonly ILogger<ServingService> _logger;
    private readonly LoopTick _tick;
    private readonly Channel<TelemetryWindow> _windows = Channel.CreateBounded<TelemetryWindow>(new BoundedChannelOptions(128) { FullMode = BoundedChannelFullMode.DropOldest });
    private volatile TaskCompletionSource _woken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Downshift? _downshift;
    private string? _whyLighter;
    private ServedRelease? _release;

    /// <summary>What the worker was given last.</summary>
    private volatile Seating? _seated;
    private volatile WorkerSeat? _seat;

    public ServingService(ServingParts parts, DeviceReport report, LoopTicks ticks, TimeProvider time, ILogger<ServingService> logger)
    {
        (_parts, _report, _time, _logger) = (parts, report, time, logger);
        (_raceAgain, _conditions) = (new Retry(time), new ConditionWatch(time));
        _tick = ticks.Register("serving", LongestTickInterval);
    }

    /// <summary>A window to be judged, which is published already; from any thread.</summary>
    public void Observe(TelemetryWindow window)
    {
        _windows.Writer.TryWrite(window);
        Wake();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The host's start must not wait for the first synchronous stretch.
        await Task.Yield();
        _tick.Tick();
        // A fault ends worker and camera too, or it would wait for them, unheard, as long as the device runs.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        await using var seat = _parts.CreateSeat(RenewAsync, end.Token);
        _seat = seat;
        var serving = ServeAsync(seat, end.Token);
        try
        {
            await await Task.WhenAny(serving, seat.Fault);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping is no error.
        }
        finally
        {
            await end.CancelAsync();
            await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _tick.Retire();
        }
    }

    private async Task ServeAsync(WorkerSeat seat, CancellationToken cancellationToken)
    {
        while (true)
        {
            if (_release is not { } release) await OpenAsync(seat, cancellationToken);
            else await ServeAsync(release, seat, cancellationToken);
        }
    }

    /// <summary>Until there is a release: the device's own, or one that the updates switch to.</summary>
    private async Task OpenAsync(WorkerSeat seat, CancellationToken cancellationToken)
    {
        string? last = null;
        while (_release is null)
        {
            AnswerWithoutRace(RaceAnswer.NoRelease);
            // All of it is hashed, which takes long where it is large and the disk slow.
            var (release, problem) = await _tick.TickUntilAsync(Task.Run(_parts.Gate.Open, cancellationToken).WaitAsync(cancellationToken));
            _report.SetProblem("bundle", problem);
            if (problem is not null && problem != last) LogNoRelease(problem);
            last = problem;
            if (release is not null)
            {
                SetRelease(release);
                await BeginAsync(release, seat, cancellationToken);
                return;
            }

            if (await WaitForSwitchAsync(RetryInterval, cancellationToken) is { } request) await EnterAsync(request, seat, cancellationToken);
        }
    }

    private async Task ServeAsync(ServedRelease release, WorkerSeat seat, CancellationToken cancellationToken)
    {
        await WaitForWorkAsync(cancellationToken);
        if (_raceAgain.Remaining == TimeSpan.Zero) RaceIfAnyMay(release);
        _woken = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        while (_windows.Reader.TryRead(out var window)) await TakeAsync(release, seat, window, cancellationToken);
        if (TryTake(out var request))
        {
            await EnterAsync(request, seat, cancellationToken);
            // The switch may have broken off the first race, and then failed.
            if (_release is { } now && _seated?.ReleaseId != now.Bundle.ReleaseId) await BeginAsync(now, seat, cancellationToken);
            // A race may have been asked for before.
            Wake();
        }
        else if (Volatile.Read(ref _raceWanted) is { } wanted)
        {
            if (_parts.Trial.IsUnderWay) AnswerWithoutRace(RaceAnswer.Trial);
            else await RaceAsync(release, seat, wanted, cancellationToken);
        }
        else if (_conditions.Remaining == TimeSpan.Zero) await LookAgainAsync(release, seat, cancellationToken);
    }

    private async Task WaitForWorkAsync(CancellationToken cancellationToken)
    {
        var (race, look) = (_raceAgain.Remaining, _conditions.Remaining);
        var atMost = race == Timeout.InfiniteTimeSpan || (look != Timeout.InfiniteTimeSpan && look < race) ? look : race;
        try
        {
            await _tick.TickUntilAsync(_woken.Task.WaitAsync(atMost, _time, cancellationToken));
        }
        catch (TimeoutException)
        {
            // Something is due.
        }
    }

    private void SetRelease(ServedRelease release)
    {
        // A ladder is of one release.
        (_release, _downshift) = (release, null);
        _raceBackoff.Reset();
        _report.SetRelease(release);
        LogReleaseOpened(release, release.Bundle.ReleaseId, release.IsSigned);
    }

    private async Task BeginAsync(ServedRelease release, WorkerSeat seat, CancellationToken cancellationToken)
    {
        // Nothing runs yet: the one moment in which idle power can be measured, where it is not known already.
        if (_seated is null) await _tick.TickUntilAsync(_parts.Idle.LearnAsync(cancellationToken));
        if (_parts.Verdicts.Find(ConditionsOf(release)) is { Winner: not null } cached)
        {
            LogVerdictCached(cached.Reason);
            SetVerdict(cached);
            if (await TrySeatAsync(release, seat, cached.Winner, null, cancellationToken) is null)
            {
                Adopt(cached, incumbent: null);
                return;
            }
        }

        await RaceAsync(release, seat, null, cancellationToken);
    }

    private async Task TakeAsync(ServedRelease release, WorkerSeat seat, TelemetryWindow window, CancellationToken cancellationToken)
    {
        if (_sharesCores || _downshift is null || window.Release != release.Bundle.ReleaseId || window.Running != _report.Running) return;
        var seen = window.Frames.Classified + window.Frames.Stale;
        var late = seen == 0 ? 0 : (double)(window.Frames.Stale + window.Frames.Late) / seen;
        if (_downshift.Observe(new LiveWindow(late, window.Thermal.Throttled ?? false, window.Battery?.Low ?? false)))
        {
            // On the way back through several rungs the reason is what led down.
            _whyLighter = WhyLighter(window, late) ?? _whyLighter;
            var reason = _downshift.Current == _downshift.Wanted ? null : $"Wanted {_downshift.Wanted}, ran {_downshift.Current}: {_whyLighter}.";
            LogShifted(_downshift.Current, reason ?? "the board keeps up again");
            await TrySeatAsync(release, seat, _downshift.Current, reason ?? "The board keeps up again.", cancellationToken);
            return;
        }

        if (_downshift.Current == _downshift.Wanted && window.Stages.TryGetValue("inference", out var inference)
            && inference.Milliseconds is { P95: var p95 } && _drift.Observe(p95, _parts.Trial.IsUnderWay))
        {
            LogDrifted(p95);
            _ = RequestRace();
        }
    }

    private static string? WhyLighter(TelemetryWindow window, double late) =>
        window.Battery is { Low: true } battery ? $"the battery is {(battery.Percent is { } percent ? $"at {percent} %" : "low")} and not charged"
        : window.Thermal.Throttled == true ? $"the board throttles ({window.Thermal.ThrottleReason})"
        : late > 0 ? $"{late:P0} of the frames came too late" : null;

    /// <param name="release">What the contender is of.</param>
    /// <param name="seat">The worker's.</param>
    /// <param name="contender">Serves from now on, if it can.</param>
    /// <param name="reason">Why it is to; null: the verdict says so.</param>
    /// <param name="cancellationToken">Ends the check of a variant that is not saved any more.</param>
    /// <returns>Why the contender does not serve, which is reported; null if it does, or will when its worker is up.</returns>
    private async Task<UpdateFailure?> TrySeatAsync(ServedRelease release, WorkerSeat seat, ContenderId contender, string? reason, CancellationToken cancellationToken)
    {
        var (session, failure) = await _tick.TickUntilAsync(SessionOfAsync(release.Bundle, contender, cancellationToken));
        if (session is not null && (_seated?.Contender != contender || _seated?.ReleaseId != release.Bundle.ReleaseId))
            failure = await _tick.TickUntilAsync(SeatAsync(release, seat, session, cancellationToken));
        _report.SetProblem("seat", failure is null ? null : $"{contender} does not serve: {failure.Detail}");
        if (failure is not null) LogNotSeated(contender, failure.Detail);
        else if (reason is not null) _report.SetShift(reason);
        return failure;
    }

    private async Task<(SessionSpec? Session, UpdateFailure? Failure)> SessionOfAsync(Bundle bundle, ContenderId contender, CancellationToken cancellationToken)
    {
        if (bundle.Present.FirstOrDefault(v => v.Id == contender.Variant) is not { } variant) return (null, new UpdateFailure(Contenders.NoFile, $"The file of variant '{contender.Variant}' is not on this board."));
        // All of it is hashed, which takes long where it is large and the disk slow.
        if (await Task.Run(() => _parts.Vetting.FindSaved(bundle, variant, contender), cancellationToken) is { } saved) return (saved, null);
        var listed = _parts.Race.Enumerate(bundle, incumbent: null).FirstOrDefault(listed => listed.Variant.Id == variant.Id);
        if (listed?.Blocked is { ReasonCode: Contenders.Quarantined } blocked) return (null, new UpdateFailure(blocked.ReasonCode, blocked.Reason));
        var vetted = await _parts.Vetting.VetAsync(bundle, variant, contender.ExecutionProvider, cancellationToken);
        return vetted.Session is { } session ? (session with { Contender = contender }, null) : (null, new UpdateFailure(vetted.Code, vetted.Reason));
    }

    /// <summary>What a worker that starts again is to load. Where it cannot be made again, another contender may win. Not on this loop.</summary>
    private async Task<(SessionSpec? Session, string? Problem)> RenewAsync(SessionSpec session, CancellationToken cancellationToken)
    {
        if (_seated is not { Bundle: var bundle } seated || seated.ReleaseId != session.Release || seated.Contender != session.Contender)
            return (null, $"'{session.Contender}' is not what is to serve; that follows.");
        var (renewed, problem) = await MakeAgainAsync(bundle, session.Contender, cancellationToken);
        if (renewed is null && _parts.Race.Enumerate(bundle, incumbent: null).Any(other => other.Blocked is null && other.Id.Variant != session.Contender.Variant)) _ = RequestRace();
        return (renewed, problem);
    }

    private async Task<(SessionSpec? Session, string? Problem)> MakeAgainAsync(Bundle bundle, ContenderId contender, CancellationToken cancellationToken)
    {
        try
        {
            var (session, failure) = await SessionOfAsync(bundle, contender, cancellationToken);
            return (session, failure?.Detail);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return (null, $"The saved model of '{contender}' cannot be made again: {e.Message} Look at the state directory.");
        }
    }

    private async Task<UpdateFailure?> SeatAsync(ServedRelease release, WorkerSeat seat, SessionSpec session, CancellationToken cancellationToken)
    {
        var variant = release.Bundle.Manifest.Variants.First(v => v.Id == session.Contender.Variant);
        var problem = await seat.SeatAsync(session, Vetting.NeedsOf(variant), cancellationToken);
        if (problem is null) _seated = new Seating(release.Bundle, variant, session);
        return problem;
    }

    private void Wake() => _woken.TrySetResult();

    [LoggerMessage(Level = LogLevel.Information, Message = "Release {Release} opened, {ReleaseId}, signed: {IsSigned}")]
    private partial void LogReleaseOpened(ServedRelease release, Digest releaseId, bool isSigned);

    [LoggerMessage(Level = LogLevel.Error, Message = "Nothing to run. {Problem}")]
    private partial void LogNoRelease(string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "Verdict from the cache. {Reason}")]
    private partial void LogVerdictCached(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Contender} does not serve: {Reason}")]
    private partial void LogNotSeated(ContenderId contender, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Shifted to {Contender}: {Reason}")]
    private partial void LogShifted(ContenderId contender, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Another race: the live p95 of {P95Milliseconds:0.00} ms has left the verdict's")]
    private partial void LogDrifted(double p95Milliseconds);
}
