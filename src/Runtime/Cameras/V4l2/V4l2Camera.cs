using System.Globalization;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Microsoft.Extensions.Logging;

namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>A USB camera, or whatever else captures through V4L2. Opened again with a growing delay after each fault.</summary>
internal sealed class V4l2Camera : ICamera
{
    private const int SliceMilliseconds = 100;

    /// <summary>A camera that dies sooner after its first frame is not well yet, and is opened again less and less often.</summary>
    private const long SettlingNanoseconds = 5_000_000_000;

    private readonly CameraSpec _spec;
    private readonly IVideoSystem _system;
    private readonly TimeProvider _time;
    private readonly CameraMonitor _monitor;
    private readonly ReopenDelay _delay = new(Random.Shared);
    private readonly VideoFaults _faults;
    private long _number;
    private bool _isBandwidthShort;

    public V4l2Camera(CameraSpec spec, IVideoSystem system, TimeProvider time, ILogger logger)
    {
        _spec = spec;
        _system = system;
        _time = time;
        _monitor = new CameraMonitor(spec.Source, spec.FramesPerSecond, time, logger);
        _faults = new VideoFaults(spec.Source);
    }

    public CameraHealth Health => _monitor.Health;

    public void Run(NewestFrameSlot slot, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            using (var session = CaptureSession.Start(_system, _spec, _isBandwidthShort, out var fault, out var isOutOfBandwidth))
            {
                // What is compressed may still fit; if not even that does, the next try begins with everything again.
                if (isOutOfBandwidth) _isBandwidthShort = !_isBandwidthShort;
                if (session is null)
                {
                    _monitor.Lost(fault!.State, fault.Detail);
                }
                else
                {
                    _monitor.Opened(session.Format, session.FramesPerSecond);
                    if (session.IsInterlaced) _monitor.Interlaced();
                    Pump(session, slot, cancellationToken);
                    // As long as a buffer is mapped, the driver holds the device for taken.
                    slot.DropLent();
                }
            }

            if (!_time.Wait(_delay.Next(), cancellationToken)) return;
        }
    }

    public void Dispose()
    {
    }

    /// <summary>Returns when cancelled, stalled or lost.</summary>
    private void Pump(CaptureSession session, NewestFrameSlot slot, CancellationToken cancellationToken)
    {
        var lastFrame = _time.Nanoseconds();
        long? firstFrame = null;
        while (!cancellationToken.IsCancellationRequested)
        {
            var captured = session.Next(slot, Math.Min(SliceMilliseconds, _spec.StallMilliseconds), _time, out var frame);
            var now = _time.Nanoseconds();
            if (captured is Capture.Filled or Capture.Corrupt && session.Missed > 0) _monitor.FramesMissed(session.Missed);
            if (captured == Capture.Corrupt) _monitor.FrameCorrupt(session.CorruptReason);
            if (frame is not null)
            {
                lastFrame = now;
                frame.Number = _number++;
                _monitor.FrameArrived(now);
                _delay.Shorten();
                if (now - (firstFrame ??= now) >= SettlingNanoseconds) _delay.Reset();
                slot.Publish(frame);
                continue;
            }

            if (captured == Capture.Lost)
            {
                var fault = _faults.Failing("DQBUF", session.Error);
                _monitor.Lost(fault.State, fault.Detail);
                break;
            }

            if (now - lastFrame < _spec.StallMilliseconds * 1_000_000L) continue;
            _monitor.Stalled(string.Create(CultureInfo.InvariantCulture,
                $"No good frame came from video device '{_spec.Source}' for {_spec.StallMilliseconds} ms; it is opened again, and if that does not help plug it in anew."));
            break;
        }
    }
}
