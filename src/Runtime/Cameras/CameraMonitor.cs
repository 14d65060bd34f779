using Dunlin.Contracts.Messages;
using Microsoft.Extensions.Logging;

namespace Dunlin.Runtime.Cameras;

/// <summary>
/// Keeps a camera's health and writes each change of it to the log once, never per frame. Thread-safe: one camera thread
/// reports, anyone reads. A camera that keeps failing for the same reason stays in that state while it is opened again.
/// </summary>
internal sealed partial class CameraMonitor(string camera, double expectedFramesPerSecond, TimeProvider time, ILogger logger)
{
    private readonly Lock _gate = new();
    private readonly FrameRateMeter _rate = new();
    private string _state = CameraStates.Starting;
    private string? _format;
    private string? _detail;
    private double _expected = expectedFramesPerSecond;
    private long _stalls;
    private long _reconnects;
    private long _corrupt;
    private long _missed;
    private bool _hasStreamed;
    private bool _corruptLogged;
    private bool _interlacedLogged;

    public CameraHealth Health
    {
        get
        {
            var now = time.Nanoseconds();
            lock (_gate)
            {
                return new CameraHealth
                {
                    Camera = camera,
                    State = _state,
                    Format = _format,
                    ExpectedFramesPerSecond = _expected,
                    ActualFramesPerSecond = _rate.Rate(now),
                    StallCount = _stalls,
                    ReconnectCount = _reconnects,
                    CorruptCount = _corrupt,
                    MissedCount = _missed,
                    Detail = _detail,
                };
            }
        }
    }

    /// <summary>What was negotiated; null for the rate leaves the expected one.</summary>
    public void Opened(string format, double? framesPerSecond)
    {
        lock (_gate)
        {
            _format = format;
            _expected = framesPerSecond ?? _expected;
        }
    }

    /// <summary>Its pictures are combed where something moves. Said once: it stays so, however often it is opened.</summary>
    public void Interlaced()
    {
        lock (_gate)
        {
            if (_interlacedLogged) return;
            _interlacedLogged = true;
        }

        LogInterlaced(logger, camera);
    }

    /// <summary>A good frame arrived: the camera is well, and if it had been lost it is back.</summary>
    public void FrameArrived(long nanoseconds)
    {
        bool changed, isBack;
        lock (_gate)
        {
            _rate.Add(nanoseconds);
            changed = _state != CameraStates.Ok;
            if (!changed) return;
            isBack = _hasStreamed;
            if (isBack) _reconnects++;
            _hasStreamed = true;
            (_state, _detail, _corruptLogged) = (CameraStates.Ok, null, false);
        }

        if (isBack) LogBack(logger, camera, _format ?? "frames");
        else LogStreaming(logger, camera, _format ?? "frames");
    }

    public void FrameCorrupt(string reason, long count = 1)
    {
        lock (_gate)
        {
            _corrupt += count;
            if (_corruptLogged) return;
            _corruptLogged = true;
        }

        LogCorrupt(logger, camera, reason);
    }

    public void FramesMissed(long count)
    {
        lock (_gate) _missed += count;
    }

    public void Stalled(string detail)
    {
        lock (_gate) _stalls++;
        Lost(CameraStates.Stalled, detail);
    }

    /// <summary>The camera delivers nothing now. <paramref name="detail"/> must not vary from try to try.</summary>
    public void Lost(string state, string detail)
    {
        lock (_gate)
        {
            if (_state == state && _detail == detail) return;
            (_state, _detail, _format) = (state, detail, null);
            _rate.Clear();
        }

        LogLost(logger, camera, state, detail);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "camera {Camera} delivers {Format}")]
    private static partial void LogStreaming(ILogger logger, string camera, string format);

    [LoggerMessage(Level = LogLevel.Information, Message = "camera {Camera} is back with {Format}")]
    private static partial void LogBack(ILogger logger, string camera, string format);

    [LoggerMessage(Level = LogLevel.Warning, Message = "camera {Camera} delivers corrupt frames, further ones are only counted: {Reason}")]
    private static partial void LogCorrupt(ILogger logger, string camera, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "camera {Camera} delivers interlaced video, which is combed where something moves and may cost accuracy; choose a progressive input or standard, or deinterlace it")]
    private static partial void LogInterlaced(ILogger logger, string camera);

    [LoggerMessage(Level = LogLevel.Warning, Message = "camera {Camera} is {State}: {Detail}")]
    private static partial void LogLost(ILogger logger, string camera, string state, string detail);
}
