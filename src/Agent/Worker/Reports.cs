using Dunlin.Agent.Children;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Pipeline;

namespace Dunlin.Agent.Worker;

/// <summary>
/// Sends the heartbeat each second, windows, and the camera's state when it changes. There is no heartbeat while a frame is
/// stuck: one is in the loop and none has left it for several beats. Without frames the loop waits, which is no hang.
/// </summary>
internal sealed class Reports(SupervisorPipe pipe, ICamera camera, FramePipeline pipeline, WindowRecorder recorder, LoopSpec loop, TimeProvider time)
{
    private const int StuckBeats = 3;
    private const int SettledBeats = 3;

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private volatile Metronome _windows = new(TimeSpan.FromMilliseconds(loop.WindowMilliseconds), time);
    private SessionSpec? _session;
    private SessionSpec? _next;
    private (string State, string? Detail, string? Format)? _camera;
    private long _left;
    private int _beatsWithoutProgress;

    /// <summary>What serves; before the first run.</summary>
    public void Begin(SessionSpec session) => _session = session;

    /// <summary>What may serve from now on; <see cref="Changed"/> follows when it does.</summary>
    public void Announce(SessionSpec next)
    {
        lock (_gate) _next = next;
    }

    /// <summary>The announced session serves: ends the window of the one before. From any thread; the second call for a session does nothing.</summary>
    public void Changed(int number)
    {
        lock (_gate)
        {
            if (_next?.Number != number) return;
            SendWindow();
            (_session, _next) = (_next, null);
        }
    }

    /// <summary>Windows of another length from now on, the first of which may end a beat late. From any thread.</summary>
    public void SetWindow(TimeSpan length) => _windows = new Metronome(length, time);

    public void Run(CancellationToken cancellationToken)
    {
        var (beats, count) = (new Metronome(Beat, time), 0);
        while (true)
        {
            var windows = _windows;
            // Of the last millisecond, which a wait rounds away, nothing may be left to spin through.
            var wait = (int)Math.Ceiling(Math.Min(beats.Remaining.TotalMilliseconds, windows.Remaining.TotalMilliseconds));
            if (wait > 0 && cancellationToken.WaitHandle.WaitOne(wait)) return;
            if (beats.IsDue())
            {
                Report();
                if (++count == SettledBeats) ReturnMemory();
            }

            if (!windows.IsDue()) continue;
            lock (_gate) SendWindow();
        }
    }

    /// <summary>What starting has used goes back once: the frame loop allocates nothing, so no collection would ever come.</summary>
    private static void ReturnMemory() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);

    private void SendWindow() => pipe.Send(recorder.Take(pipeline.Counts, [.. pipeline.TakeRefusals().Select(Refusal.Of)], _session!.Number, camera.Health));

    private void Report()
    {
        var counts = pipeline.Counts;
        var left = counts.Classified + counts.Stale + counts.Corrupt + counts.NonFinite;
        var stuck = left == _left && counts.Captured > left + counts.Dropped;
        _beatsWithoutProgress = stuck ? _beatsWithoutProgress + 1 : 0;
        _left = left;
        if (_beatsWithoutProgress < StuckBeats) pipe.Send(new Heartbeat { Classified = counts.Classified });
        CameraHealth health = camera.Health;
        if (_camera == (health.State, health.Detail, health.Format)) return;
        _camera = (health.State, health.Detail, health.Format);
        pipe.Send(new CameraState { Camera = health });
    }

    /// <summary>Due once a period by the clock of its start, so that lateness does not add up; what was missed is left out.</summary>
    private sealed class Metronome(TimeSpan period, TimeProvider time)
    {
        private readonly long _start = time.GetTimestamp();
        private long _next = 1;

        public TimeSpan Remaining => (period * _next) - time.GetElapsedTime(_start);

        public bool IsDue()
        {
            if (Remaining > TimeSpan.Zero) return false;
            _next = (long)(time.GetElapsedTime(_start) / period) + 1;
            return true;
        }
    }
}
