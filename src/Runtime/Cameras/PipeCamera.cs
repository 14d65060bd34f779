using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Microsoft.Extensions.Logging;

namespace Dunlin.Runtime.Cameras;

/// <summary>
/// Concatenated JPEG images from an inherited pipe. The supervisor keeps the write end and gives it to one camera process
/// after another, so the stream has no end while the supervisor lives: a process that dies leaves half a frame, and the
/// next one's first frame follows. The end of the stream means that the source has ended.
/// </summary>
internal sealed class PipeCamera : ICamera
{
    private const int ReadSize = 64 << 10;
    private const int PipeSize = 1 << 20;
    private const int SliceMilliseconds = 100;
    private readonly CameraSpec _spec;
    private readonly TimeProvider _time;
    private readonly CameraMonitor _monitor;
    private readonly JpegSplitter _splitter;
    private readonly int _descriptor;
    private long _number;
    private long _lastFrame;
    private long _corrupt;
    private bool _isStalled;
    private bool _isClosed;

    /// <summary>Owns the descriptor from here on.</summary>
    public PipeCamera(CameraSpec spec, TimeProvider time, ILogger logger, int largestFrame = JpegSplitter.DefaultLargestFrame)
    {
        _spec = spec;
        _time = time;
        _descriptor = spec.Descriptor
            ?? throw new ArgumentException($"Camera '{spec.Source}' is a pipe without a descriptor; hand one over.", nameof(spec));
        _monitor = new CameraMonitor(spec.Source, spec.FramesPerSecond, time, logger);
        _splitter = new JpegSplitter(largestFrame);
    }

    public CameraHealth Health => _monitor.Health;

    public void Run(NewestFrameSlot slot, CancellationToken cancellationToken)
    {
        // A larger pipe lets the camera process write a whole frame at once; a kernel that refuses keeps its 64 KiB.
        _ = LibC.Fcntl(_descriptor, LibC.SetPipeSize, PipeSize);
        DiscardOld();
        _lastFrame = _time.Nanoseconds();
        while (!cancellationToken.IsCancellationRequested)
        {
            var events = LibC.WaitReadable(_descriptor, Math.Min(SliceMilliseconds, _spec.StallMilliseconds));
            if (events != 0 && !Receive(slot))
            {
                slot.Complete();
                return;
            }

            NoticeStall();
        }
    }

    public void Dispose()
    {
        if (_isClosed) return;
        _isClosed = true;
        _ = LibC.Close(_descriptor);
    }

    /// <summary>False at the end of the stream.</summary>
    private bool Receive(NewestFrameSlot slot)
    {
        var error = Read(ReadSize, out var count);
        if (error is Errno.Interrupted or Errno.TryAgain) return true;
        if (count > 0)
        {
            _splitter.Advance(count, _time.Nanoseconds());
            while (_splitter.TryTake(out var image, out var captured)) Publish(slot, image, captured);
            CountCorrupt();
            return true;
        }

        _splitter.Reset();
        CountCorrupt();
        if (error == 0)
            _monitor.Lost(CameraStates.Absent, $"The stream of '{_spec.Source}' has ended; nobody writes to its pipe any more.");
        else
            _monitor.Lost(CameraStates.Failed, string.Create(CultureInfo.InvariantCulture,
                $"The pipe of '{_spec.Source}' (descriptor {_descriptor}) cannot be read: {Marshal.GetPInvokeErrorMessage(error)}; hand over the read end of a pipe."));
        return false;
    }

    /// <summary>
    /// What lies in the pipe already was captured while a session was being loaded, or for a worker that is gone, and would
    /// be taken for new. Of a film that is not repeated all counts, whenever it is seen.
    /// </summary>
    private void DiscardOld()
    {
        for (var left = _spec.Repeat ? LibC.ReadableByteCount(_descriptor) : 0; left > 0;)
        {
            var error = Read(Math.Min(left, ReadSize), out var count);
            if (count <= 0 && error is not Errno.Interrupted) return;
            left -= Math.Max(count, 0);
        }
    }

    private unsafe int Read(int most, out int count)
    {
        fixed (byte* buffer = _splitter.GetSpan(most))
        {
            count = (int)LibC.Read(_descriptor, buffer, (nuint)most);
            return count < 0 ? Marshal.GetLastPInvokeError() : 0;
        }
    }

    private void Publish(NewestFrameSlot slot, ReadOnlySpan<byte> image, long captured)
    {
        var frame = slot.Rent();
        image.CopyTo(frame.Resize(image.Length));
        (frame.Format, frame.Width, frame.Height, frame.Stride) = (PixelFormat.Jpeg, 0, 0, 0);
        (frame.Number, frame.CapturedNanoseconds) = (_number++, captured);
        if (_number == 1 || _isStalled) _monitor.Opened("jpeg", null);
        _lastFrame = _time.Nanoseconds();
        _isStalled = false;
        _monitor.FrameArrived(_lastFrame);
        slot.Publish(frame);
    }

    private void CountCorrupt()
    {
        if (_splitter.CorruptCount == _corrupt) return;
        _monitor.FrameCorrupt("a frame broke off, was malformed or larger than 16 MiB.", _splitter.CorruptCount - _corrupt);
        _corrupt = _splitter.CorruptCount;
    }

    private void NoticeStall()
    {
        if (_isStalled || _time.Nanoseconds() - _lastFrame < _spec.StallMilliseconds * 1_000_000L) return;
        _isStalled = true;
        _monitor.Stalled(string.Create(CultureInfo.InvariantCulture,
            $"No whole frame came from '{_spec.Source}' for {_spec.StallMilliseconds} ms; look at the camera, its network and the log of its process."));
    }
}
