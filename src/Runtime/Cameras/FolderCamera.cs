using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Microsoft.Extensions.Logging;

namespace Dunlin.Runtime.Cameras;

/// <summary>
/// The JPEG images of a folder in the order of their names, at a given rate or as fast as they are taken. What comes, goes
/// or changes shows from the next round on; a folder without images is waited for.
/// </summary>
internal sealed class FolderCamera : ICamera
{
    private readonly CameraSpec _spec;
    private readonly TimeProvider _time;
    private readonly CameraMonitor _monitor;
    private readonly ImageFolder _folder;
    private readonly ReopenDelay _delay = new(Random.Shared);
    private readonly long _period;
    private long _due;
    private long _number;

    public FolderCamera(CameraSpec spec, TimeProvider time, ILogger logger)
    {
        _spec = spec;
        _time = time;
        _monitor = new CameraMonitor(spec.Source, spec.FramesPerSecond, time, logger);
        _folder = new ImageFolder(spec.Source);
        _period = (long)(1e9 / spec.FramesPerSecond);
    }

    public CameraHealth Health => _monitor.Health;

    public void Run(NewestFrameSlot slot, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            if (_folder.Refresh(_time.Nanoseconds(), isFrozen: _spec.Unpaced) is { } fault)
            {
                _monitor.Lost(fault.State, fault.Detail);
                if (!_time.Wait(_delay.Next(), cancellationToken)) return;
                continue;
            }

            _monitor.Opened("jpeg", null);
            if (!PlayRound(slot, cancellationToken, out var published)) return;
            if (published > 0 && !_spec.Repeat)
            {
                slot.Complete();
                return;
            }

            if (published > 0) continue;
            _monitor.Lost(CameraStates.Absent, $"Folder '{_spec.Source}' holds no readable JPEG image; put some there.");
            if (!_time.Wait(_delay.Next(), cancellationToken)) return;
        }
    }

    public void Dispose()
    {
    }

    /// <summary>False when cancelled.</summary>
    private bool PlayRound(NewestFrameSlot slot, CancellationToken cancellationToken, out int published)
    {
        published = 0;
        for (var index = 0; index < _folder.Count; index++)
        {
            if (!WaitForTurn(slot, cancellationToken)) return false;
            var frame = slot.Rent();
            var reading = _folder.Read(index, frame, isCacheTrusted: _spec.Unpaced);
            if (reading != ImageReading.Read)
            {
                slot.Return(frame);
                if (reading == ImageReading.Corrupt)
                    _monitor.FrameCorrupt($"'{_folder.NameOf(index)}' is empty, larger than 16 MiB or no JPEG.");
                continue;
            }

            (frame.Format, frame.Width, frame.Height, frame.Stride) = (PixelFormat.Jpeg, 0, 0, 0);
            frame.Number = _number++;
            frame.CapturedNanoseconds = _time.Nanoseconds();
            _monitor.FrameArrived(frame.CapturedNanoseconds);
            slot.Publish(frame);
            _due += _period;
            _delay.Reset();
            published++;
        }

        return true;
    }

    private bool WaitForTurn(NewestFrameSlot slot, CancellationToken cancellationToken)
    {
        if (_spec.Unpaced)
        {
            try
            {
                slot.WaitUntilTaken(cancellationToken);
                return !cancellationToken.IsCancellationRequested;
            }
            catch (OperationCanceledException)
            {
                return false;
            }
        }

        var now = _time.Nanoseconds();
        if (now - _due > _period) _due = now;
        // Timers round down to milliseconds; a frame may come that little early, but the rate holds.
        return _time.Wait(TimeSpan.FromMilliseconds((_due - now) / 1_000_000), cancellationToken);
    }
}
