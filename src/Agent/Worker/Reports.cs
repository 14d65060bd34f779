using Dunlin.Agent.Children;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
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

    private static readonly TimeSpan Beat = TimeSpan.FromSeconds(1);

    private (string State, string? Detail, string? Format)? _camera;
    private long _left;
    private int _beatsWithoutProgress;

    /// <summary>What serves; set before the first run and at each swap.</summary>
    public ContenderId? Contender { get; set; }

    public void Run(CancellationToken cancellationToken)
    {
        var window = TimeSpan.FromMilliseconds(loop.WindowMilliseconds);
        var (start, beats, windows) = (time.GetTimestamp(), 1, 1);
        while (true)
        {
            var elapsed = time.GetElapsedTime(start);
            var next = Math.Min((Beat * beats).Ticks, (window * windows).Ticks) - elapsed.Ticks;
            if (next > 0 && cancellationToken.WaitHandle.WaitOne(TimeSpan.FromTicks(next))) return;
            elapsed = time.GetElapsedTime(start);
            if (elapsed >= Beat * beats)
            {
                beats = (int)(elapsed / Beat) + 1;
                Report();
            }

            if (elapsed < window * windows) continue;
            windows = (int)(elapsed / window) + 1;
            pipe.Send(recorder.Take(pipeline.Counts, Contender!, camera.Health));
        }
    }

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
}
