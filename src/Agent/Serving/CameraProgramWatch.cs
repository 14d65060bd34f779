using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Cameras;

namespace Dunlin.Agent.Serving;

/// <summary>
/// Whether a camera program that has ended delivers again. One that is back before its worker misses a frame changes no
/// state there, so the windows count, too. Thread-safe.
/// </summary>
/// <param name="tell">Why the program ended; null when it delivers again.</param>
/// <param name="reconnected">It delivers again, and the worker has noticed nothing.</param>
/// <param name="time">Its monotonic side.</param>
internal sealed class CameraProgramWatch(Action<string?> tell, Action reconnected, TimeProvider time)
{
    private readonly Lock _gate = new();
    private long? _ended;
    private bool _isMissed;

    public void Ended(string reason)
    {
        lock (_gate) _ended = time.GetTimestamp();
        tell(reason);
    }

    /// <param name="health">Which has changed.</param>
    public void Observe(CameraHealth health)
    {
        if (health.State == CameraStates.Ok) Delivers();
        else lock (_gate) _isMissed = health.State != CameraStates.Starting;
    }

    /// <param name="window">The frames of one that began before the end may be older than that.</param>
    public void Observe(FrameWindow window)
    {
        bool isAfter;
        lock (_gate) isAfter = _ended is { } ended && time.GetElapsedTime(ended).TotalSeconds >= window.WindowSeconds;
        if (isAfter && window.Camera.State == CameraStates.Ok && window.Frames.Captured > 0) Delivers();
    }

    private void Delivers()
    {
        bool wasMissed, hadEnded;
        lock (_gate) (hadEnded, wasMissed, _ended, _isMissed) = (_ended is not null, _isMissed, null, false);
        if (!hadEnded) return;
        tell(null);
        if (!wasMissed) reconnected();
    }
}
