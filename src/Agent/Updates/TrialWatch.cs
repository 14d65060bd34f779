using Dunlin.Agent.Children;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Worker;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Agent.Updates;

/// <summary>What a release must show to be committed.</summary>
internal sealed record TrialRules
{
    public required Digest Release { get; init; }

    /// <summary>On the monotonic clock.</summary>
    public required TimeSpan Window { get; init; }

    public required int MinimumRuns { get; init; }

    /// <summary>Milliseconds from capture to result; null: only the verdict counts.</summary>
    public double? MaximumP95Milliseconds { get; init; }

    /// <summary>Milliseconds of one inference as the verdict promises; null: there is no verdict to hold it to.</summary>
    public double? PromisedP95Milliseconds { get; init; }
}

/// <summary>How a trial stands.</summary>
/// <param name="Code">Of the failure; null while there is none.</param>
/// <param name="Detail">The same in a sentence, or how far it is.</param>
/// <param name="IsPassed">Healthy for the window and with enough runs.</param>
/// <param name="Progress">Share 0…1 of time and runs.</param>
/// <param name="EmptyWindows">Times that the camera could have given enough frames, and at least a whole window, without enough runs.</param>
/// <param name="CapturedCount">Frames that the camera gave.</param>
internal sealed record TrialState(string? Code, string Detail, bool IsPassed, double Progress, int EmptyWindows, long CapturedCount);

/// <summary>
/// Watches the release on trial by what the worker says: crashes, scores that are not finite, latency against the verdict and
/// the directive, frames that come too late, silence. Thread-safe; everything is on the monotonic clock, and what the board stood still for is left out.
/// </summary>
/// <param name="time">Its monotonic side.</param>
/// <param name="interval">Between two windows of the worker while no release is on trial.</param>
/// <param name="framesPerSecond">What the camera is set to deliver; what it does deliver counts where that is less.</param>
internal sealed class TrialWatch(TimeProvider time, TimeSpan interval, double framesPerSecond)
{
    // A race is run without the camera's load, so the live p95 may be above the promise without being a regression.
    private const double PromiseFactor = 2;
    private const double PromiseSlackMilliseconds = 5;
    // Nobody is hurt by an inference that takes less than a quarter of the time between two frames, or is quicker than a person
    // notices (J. Nielsen, "Response Times", 1993) where frames are rare: what the race promised of it was only faster still.
    private const double HarmlessFrameShare = 0.25;
    private const double HarmlessMilliseconds = 100;
    // The slowest that Camera:FramesPerSecond may be set to.
    private const double LeastFramesPerSecond = 0.1;
    // What is slow is judged by so many windows at least: one may be anybody's noise.
    private const int SlowWindows = 3;
    private const int SilentIntervals = 3;
    // Of a trial: one to get warm, and enough to tell a slow release from a slow moment.
    private const int LeastWindows = 5;
    private static readonly TimeSpan ShortestInterval = TimeSpan.FromSeconds(1);
    // Between two calls of a trial under way, which looks five times a second.
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SilenceSlack = TimeSpan.FromSeconds(5);

    private readonly Lock _gate = new();
    private readonly Standstill _standstill = new(time, LongestPause);
    private TrialRules? _rules;
    private TimeSpan? _short;
    private long _started;
    private long _heard;
    private long _runs, _captured;
    private int _slowInARow, _slow, _windows;
    private double _lastP95;
    private bool _isWarm;
    private (string Code, string Detail)? _failure;

    /// <summary>From the switch to the end: what runs beside it, a race for example, would be taken for the release's fault.</summary>
    public bool IsUnderWay
    {
        get
        {
            lock (_gate) return _rules is not null;
        }
    }

    /// <summary>How long the worker's windows should be now: a short trial wants short ones.</summary>
    public TimeSpan WindowLength
    {
        get
        {
            lock (_gate) return _short ?? interval;
        }
    }

    /// <summary>The worker serves the release now.</summary>
    public void Begin(TrialRules rules)
    {
        lock (_gate)
        {
            var length = Min(interval, Max(rules.Window / LeastWindows, ShortestInterval));
            // Shorter than one window nothing can be seen.
            (_short, _rules) = (length, rules with { Window = Max(rules.Window, length) });
            _standstill.Look();
            _started = _heard = time.GetTimestamp();
            (_runs, _captured, _slowInARow, _slow, _windows, _lastP95, _isWarm, _failure) = (0, 0, 0, 0, 0, 0, false, null);
        }
    }

    public void End()
    {
        lock (_gate) (_rules, _short) = (null, null);
    }

    public void Observe(SessionSpec session, FrameWindow window)
    {
        lock (_gate)
        {
            if (_rules is not { } rules || session.Release != rules.Release) return;
            LeaveOutStandstill();
            _heard = time.GetTimestamp();
            _runs += window.Frames.Classified;
            _captured += window.Frames.Captured;
            if (window.NonFiniteCount > 0)
            {
                _failure ??= (UpdateCodes.TrialNotFinite, $"{window.NonFiniteCount} results of '{session.Contender}' were not finite numbers; build the release again from a model that is checked on the device's own images.");
                return;
            }

            // A frame may be counted in one window and timed in the next: what holds no time says nothing of it.
            if (window.Frames.Stale <= window.Frames.Classified && LatencyMath.Count(window.Latency) == 0) return;
            if (!_isWarm)
            {
                // The first window has the cold caches of a new session, or of a new worker.
                _isWarm = true;
                return;
            }

            _windows++;
            if (!IsSlow(window, rules))
            {
                _slowInARow = 0;
                return;
            }

            _slow++;
            if (++_slowInARow >= SlowWindows) _failure ??= Slow(session, rules);
        }
    }

    /// <summary>The worker has ended. What a person or the camera's folder stopped, or the board could not start, is not the model's fault.</summary>
    public void Observe(WorkerExit exit)
    {
        lock (_gate)
        {
            if (_rules is null || exit.Exit.Code is ChildExitCodes.Stopped or ChildExitCodes.NotStarted) return;
            _failure ??= (UpdateCodes.TrialCrashed, $"The worker ended in the trial ({exit.Exit.Code}): {exit.LoadError?.Detail ?? exit.Exit.Reason}");
        }
    }

    public TrialState Look()
    {
        lock (_gate)
        {
            if (_rules is not { } rules) return new TrialState(null, "No trial is under way.", false, 0, 0, 0);
            LeaveOutStandstill();
            var elapsed = time.GetElapsedTime(_started);
            var empty = (int)Math.Min(int.MaxValue, elapsed / TimeForRuns(rules, elapsed));
            var progress = Math.Min(Math.Min(elapsed / rules.Window, (double)_runs / rules.MinimumRuns), 1);
            if (_failure is null && time.GetElapsedTime(_heard) is var silent && silent > (SilentIntervals * interval) + SilenceSlack)
                _failure = (UpdateCodes.TrialSilent, $"The worker has said nothing for {silent.TotalSeconds:0} s; look at its lines in the log.");
            if (_failure is var (code, detail)) return new TrialState(code, detail, false, progress, empty, _captured);
            var isSlow = 2 * _slow > _windows;
            // However short the trial, one window behind the warm-up must have shown how fast the release is.
            if (elapsed < rules.Window || _runs < rules.MinimumRuns || _windows == 0 || (isSlow && _windows < SlowWindows))
                return new TrialState(null, $"{elapsed.TotalSeconds:0} of {rules.Window.TotalSeconds:0} s, {_runs} of {rules.MinimumRuns} inferences.", false, progress, empty, _captured);
            return isSlow
                ? new TrialState(UpdateCodes.TrialSlow, $"{_slow} of {_windows} windows were slower than promised; the last p95 was {_lastP95:0.0} ms.", false, progress, empty, _captured)
                : new TrialState(null, $"{_runs} inferences in {elapsed.TotalSeconds:0} s without a fault.", true, 1, empty, _captured);
        }
    }

    private void LeaveOutStandstill()
    {
        var standstill = _standstill.Look();
        (_started, _heard) = (_started + standstill, _heard + standstill);
    }

    private bool IsSlow(FrameWindow window, TrialRules rules)
    {
        if (window.Frames.Stale > window.Frames.Classified) return true;
        if (window.Frames.Classified == 0) return false;
        _lastP95 = LatencyMath.Summarize(window.Latency).Milliseconds?.P95 ?? 0;
        if (rules.MaximumP95Milliseconds is { } maximum && _lastP95 > maximum) return true;
        if (rules.PromisedP95Milliseconds is not { } promised || !window.Stages.TryGetValue("inference", out var inference)) return false;
        var allowed = Math.Max(PromiseFactor * promised, promised + PromiseSlackMilliseconds);
        return LatencyMath.Summarize(inference).Milliseconds?.P95 > Math.Max(allowed, Harmless(window));
    }

    private static double Harmless(FrameWindow window) =>
        Math.Min(HarmlessMilliseconds, HarmlessFrameShare * 1000 * window.WindowSeconds / Math.Max(1, window.Frames.Captured));

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    /// <summary>A slow camera takes longer than the window for enough frames, and one that gives none is not waited for.</summary>
    private TimeSpan TimeForRuns(TrialRules rules, TimeSpan elapsed)
    {
        var rate = _captured == 0 ? framesPerSecond : Math.Min(framesPerSecond, _captured / elapsed.TotalSeconds);
        var needed = TimeSpan.FromSeconds(rules.MinimumRuns / Math.Max(rate, LeastFramesPerSecond));
        return Max(needed, rules.Window);
    }

    private (string, string) Slow(SessionSpec session, TrialRules rules) => (UpdateCodes.TrialSlow,
        $"'{session.Contender}' was too slow for {_slowInARow} windows in a row: p95 {_lastP95:0.0} ms from capture to result"
        + (rules.MaximumP95Milliseconds is { } maximum ? $", and the directive allows {maximum:0.0} ms" : "")
        + (rules.PromisedP95Milliseconds is { } promised ? $"; the race promised {promised:0.00} ms an inference" : "") + ".");
}
