using System.Globalization;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Runtime.Cameras.V4l2;

internal enum Capture
{
    Filled = 1,
    Nothing = 2,
    Corrupt = 3,
    Lost = 4,
}

/// <summary>One open, streaming device with its buffers. Owned by the camera thread.</summary>
internal sealed class CaptureSession : IDisposable
{
    // Three stay with the driver while two are lent.
    private const uint BufferCount = 5;

    // Of a device that answers EIO forever, for example after its hub has browned out.
    private const int MostErrors = 10;
    private const long LongestAgeNanoseconds = 10_000_000_000;
    private readonly IVideoDevice _device;
    private readonly VideoFormat _format;
    private readonly DriverBuffers _buffers;
    private uint _nextSequence;
    private bool _hasSequence;
    private int _errors;

    private CaptureSession(IVideoDevice device, VideoFormat format, double? framesPerSecond)
    {
        _device = device;
        _format = format;
        _buffers = new DriverBuffers(device);
        FramesPerSecond = framesPerSecond;
    }

    /// <summary>As the driver answered; null when it did not say.</summary>
    public double? FramesPerSecond { get; }

    public string Format => string.Create(CultureInfo.InvariantCulture,
        $"{_format.Width}x{_format.Height} {(_format.PixelFormat == VideoConstants.Yuyv ? "yuyv" : "mjpeg")}");

    /// <summary>Each picture is whole, but of two moments, half a frame apart.</summary>
    public bool IsInterlaced => _format.Field is VideoConstants.FieldInterlaced or VideoConstants.FieldInterlacedTopFirst or VideoConstants.FieldInterlacedBottomFirst;

    /// <summary>Why the last frame was <see cref="Capture.Corrupt"/>.</summary>
    public string CorruptReason { get; private set; } = "";

    /// <summary>The error number of <see cref="Capture.Lost"/>.</summary>
    public int Error { get; private set; }

    /// <summary>Frames that the driver dropped just before the last one.</summary>
    public uint Missed { get; private set; }

    /// <summary>Negotiates and starts; on a fault everything is closed again.</summary>
    public static CaptureSession? Start(IVideoSystem system, CameraSpec spec, bool isBandwidthShort, out CameraFault? fault, out bool isOutOfBandwidth)
    {
        isOutOfBandwidth = false;
        var faults = new VideoFaults(spec.Source);
        var error = system.Open(spec.Source, out var device);
        if (device is null)
        {
            fault = faults.Opening(error);
            return null;
        }

        var session = Negotiate(device, spec, isBandwidthShort, faults, out fault);
        if (session is null)
        {
            device.Dispose();
            return null;
        }

        fault = session.Stream(faults, out isOutOfBandwidth);
        if (fault is null) return session;
        session.Dispose();
        return null;
    }

    /// <summary>
    /// Waits for a frame; null unless it is <see cref="Capture.Filled"/>. What is compressed is copied into a buffer of the
    /// slot; YUYV is read where the driver put it, if that can spare the buffer.
    /// </summary>
    public Capture Next(NewestFrameSlot slot, int timeoutMilliseconds, TimeProvider time, out FrameBuffer? frame)
    {
        frame = null;
        Missed = 0;
        if (!_device.WaitReady(timeoutMilliseconds)) return Capture.Nothing;
        var buffer = new VideoBuffer { Type = VideoConstants.TypeVideoCapture, Memory = VideoConstants.MemoryMapped };
        Error = _device.Control(VideoConstants.DequeueBuffer, ref buffer);
        if (Error == Errno.TryAgain) return Capture.Nothing;
        if (Error == Errno.InputOutput && ++_errors < MostErrors)
        {
            CorruptReason = "the driver reports an input/output error.";
            return Capture.Corrupt;
        }

        if (Error != 0) return Capture.Lost;
        _errors = 0;
        Missed = _hasSequence ? Gap(buffer.Sequence) : 0;
        (_nextSequence, _hasSequence) = (buffer.Sequence + 1, true);
        var content = Content(buffer);
        if (content.Length > 0)
        {
            frame = FrameOf((int)buffer.Index, content, slot, out var isLent);
            frame.CapturedNanoseconds = CaptureTime(buffer, time.Nanoseconds());
            if (isLent) return Capture.Filled;
        }

        Error = _buffers.Queue((int)buffer.Index);
        if (Error == 0) return frame is null ? Capture.Corrupt : Capture.Filled;
        if (frame is not null) slot.Return(frame);
        frame = null;
        return Capture.Lost;
    }

    public void Dispose()
    {
        var type = (int)VideoConstants.TypeVideoCapture;
        _ = _device.Control(VideoConstants.StreamOff, ref type);
        _buffers.Close();
        _device.Dispose();
    }

    private static CaptureSession? Negotiate(IVideoDevice device, CameraSpec spec, bool isBandwidthShort, VideoFaults faults, out CameraFault? fault)
    {
        var capability = new VideoCapability();
        var error = device.Control(VideoConstants.QueryCapability, ref capability);
        if (error != 0)
        {
            fault = faults.Failing("QUERYCAP", error);
            return null;
        }

        var can = (capability.Capabilities & VideoConstants.CapabilityDeviceCapabilities) != 0 ? capability.DeviceCapabilities : capability.Capabilities;
        if ((can & VideoConstants.CapabilityVideoCapture) == 0 || (can & VideoConstants.CapabilityStreaming) == 0)
        {
            fault = faults.NoCaptureDevice();
            return null;
        }

        var offers = CaptureOffers.List(device, spec.Width, spec.Height, spec.FramesPerSecond, out var others);
        if (offers.Count == 0)
        {
            fault = faults.NoFormat(others);
            return null;
        }

        var mode = CaptureMode.Choose(offers, spec.Width, spec.Height, spec.FramesPerSecond, isBandwidthShort);
        var format = new VideoFormat
        {
            Type = VideoConstants.TypeVideoCapture,
            Width = (uint)mode.Width,
            Height = (uint)mode.Height,
            PixelFormat = mode.PixelFormat,
            Field = VideoConstants.FieldNone,
        };
        error = device.Control(VideoConstants.SetFormat, ref format);
        fault = error != 0 ? faults.Failing("S_FMT", error) : faults.FormatAnswer(mode, format);
        if (fault is not null) return null;
        if (format.PixelFormat == VideoConstants.Yuyv && format.BytesPerLine == 0) format.BytesPerLine = format.Width * 2;
        return new CaptureSession(device, format, SetRate(device, mode, spec.FramesPerSecond));
    }

    private static double? SetRate(IVideoDevice device, CaptureMode mode, double framesPerSecond)
    {
        var parameters = new VideoStreamParameters { Type = VideoConstants.TypeVideoCapture };
        if (device.Control(VideoConstants.GetParameters, ref parameters) != 0) return mode.FramesPerSecond;
        if ((parameters.Capability & VideoConstants.CapabilityTimePerFrame) != 0)
        {
            parameters.TimePerFrame = mode.FramesPerSecond is null
                ? new VideoFraction { Numerator = 1000, Denominator = (uint)Math.Clamp(Math.Round(framesPerSecond * 1000), 1, uint.MaxValue) }
                : new VideoFraction { Numerator = mode.IntervalNumerator, Denominator = mode.IntervalDenominator };
            // A driver that refuses keeps the rate it had, which it then tells.
            if (device.Control(VideoConstants.SetParameters, ref parameters) != 0)
            {
                parameters = new VideoStreamParameters { Type = VideoConstants.TypeVideoCapture };
                if (device.Control(VideoConstants.GetParameters, ref parameters) != 0) return mode.FramesPerSecond;
            }
        }

        var time = parameters.TimePerFrame;
        return time.Numerator > 0 && time.Denominator > 0 ? (double)time.Denominator / time.Numerator : mode.FramesPerSecond;
    }

    private CameraFault? Stream(VideoFaults faults, out bool isOutOfBandwidth)
    {
        isOutOfBandwidth = false;
        var request = new VideoRequestBuffers { Count = BufferCount, Type = VideoConstants.TypeVideoCapture, Memory = VideoConstants.MemoryMapped };
        var error = _device.Control(VideoConstants.RequestBuffers, ref request);
        if (error != 0) return faults.Failing("REQBUFS", error);
        if (request.Count < 2) return faults.TooFewBuffers(request.Count);
        for (uint index = 0; index < request.Count; index++)
        {
            var buffer = new VideoBuffer { Index = index, Type = VideoConstants.TypeVideoCapture, Memory = VideoConstants.MemoryMapped };
            error = _device.Control(VideoConstants.QueryBuffer, ref buffer);
            if (error != 0) return faults.Failing("QUERYBUF", error);
            (error, var call) = _buffers.Add(buffer);
            if (error != 0) return faults.Failing(call, error);
        }

        var type = (int)VideoConstants.TypeVideoCapture;
        error = _device.Control(VideoConstants.StreamOn, ref type);
        isOutOfBandwidth = error == Errno.NoSpace;
        return error == 0 ? null : faults.Streaming(error);
    }

    /// <summary>What is good of the frame; nothing, and why, if it is corrupt.</summary>
    private ReadOnlyMemory<byte> Content(in VideoBuffer buffer)
    {
        var mapped = _buffers.Content((int)buffer.Index);
        if ((buffer.Flags & VideoConstants.BufferError) != 0) return Refuse("the driver marked a frame as damaged.");
        if (buffer.BytesUsed == 0 || buffer.BytesUsed > mapped.Length) return Refuse("a frame was empty or longer than its buffer.");
        var content = mapped[..(int)buffer.BytesUsed];
        if (_format.PixelFormat != VideoConstants.Yuyv)
            return JpegHeader.HasMagic(content.Span) ? content : Refuse("a frame was no JPEG image.");
        var length = (long)_format.BytesPerLine * _format.Height;
        return content.Length < length ? Refuse("a frame was incomplete.") : content[..(int)length];
    }

    private FrameBuffer FrameOf(int index, ReadOnlyMemory<byte> content, NewestFrameSlot slot, out bool isLent)
    {
        var isYuyv = _format.PixelFormat == VideoConstants.Yuyv;
        isLent = isYuyv && _buffers.CanLend;
        var frame = isLent ? _buffers.Lend(index, content.Length) : slot.Rent();
        if (!isLent) content.Span.CopyTo(frame.Resize(content.Length));
        (frame.Format, frame.Width, frame.Height, frame.Stride) = isYuyv
            ? (PixelFormat.Yuyv, (int)_format.Width, (int)_format.Height, (int)_format.BytesPerLine)
            : (PixelFormat.Jpeg, 0, 0, 0);
        return frame;
    }

    private ReadOnlyMemory<byte> Refuse(string reason)
    {
        CorruptReason = reason;
        return default;
    }

    private uint Gap(uint sequence)
    {
        var gap = sequence - _nextSequence;
        // Drivers that do not count always say 0; one that began anew says less than before.
        return gap < 1 << 16 ? gap : 0;
    }

    private static long CaptureTime(in VideoBuffer buffer, long now)
    {
        if ((buffer.Flags & VideoConstants.TimestampMask) != VideoConstants.TimestampMonotonic) return now;
        if (buffer.Seconds is < 0 or > int.MaxValue || buffer.Microseconds is < 0 or >= 1_000_000) return now;
        var captured = buffer.Seconds * 1_000_000_000 + buffer.Microseconds * 1000;
        return captured <= now && now - captured < LongestAgeNanoseconds ? captured : now;
    }
}
