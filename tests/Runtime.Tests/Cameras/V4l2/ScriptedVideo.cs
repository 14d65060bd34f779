using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Dunlin.Runtime.Cameras;
using Dunlin.Runtime.Cameras.V4l2;

namespace Dunlin.Runtime.Tests.Cameras.V4l2;

internal sealed record ScriptedFrame(byte[] Content, uint Sequence, uint Flags = 0, long Nanoseconds = 0, int Error = 0, uint? BytesUsed = null);

/// <summary>A driver that answers as uvcvideo and vivid do, or as the script says. Counts what is open.</summary>
internal sealed class ScriptedVideo : IVideoSystem
{
    private readonly ConcurrentQueue<int> _openErrors = new();
    private readonly BlockingCollection<ScriptedFrame> _frames = [];
    private int _heldCount;
    private int _mappedCount;

    public List<(uint Format, uint Width, uint Height, uint Rate)> Modes { get; } = [(VideoConstants.Yuyv, 4, 2, 30)];

    /// <summary>The error of a call, by request.</summary>
    public ConcurrentDictionary<uint, int> Errors { get; } = new();

    public uint Capabilities { get; set; } = VideoConstants.CapabilityVideoCapture | VideoConstants.CapabilityStreaming;

    /// <summary>Changes what S_FMT answers.</summary>
    public Func<VideoFormat, VideoFormat> AnswerFormat { get; set; } = static format => format;

    /// <summary>What S_FMT was last asked for.</summary>
    public VideoFormat Asked { get; private set; }

    public VideoFraction AskedInterval { get; private set; }

    public int OpenError { get; set; }

    public int OpenedCount { get; private set; }

    public int ClosedCount { get; private set; }

    /// <summary>The most buffers that the driver grants.</summary>
    public uint MostBuffers { get; set; } = 32;

    /// <summary>Buffers that the driver lacks because they were not given back.</summary>
    public int HeldCount => Volatile.Read(ref _heldCount);

    /// <summary>Buffers that are mapped, of all devices that were ever open.</summary>
    public int MappedCount => Volatile.Read(ref _mappedCount);

    public void Deliver(ScriptedFrame frame) => _frames.Add(frame, CancellationToken.None);

    public void FailOpen(params ReadOnlySpan<int> errors)
    {
        foreach (var error in errors) _openErrors.Enqueue(error);
    }

    public int Open(string path, out IVideoDevice? device)
    {
        device = null;
        var error = _openErrors.TryDequeue(out var next) ? next : OpenError;
        if (error != 0) return error;
        OpenedCount++;
        _heldCount = 0;
        device = new Device(this);
        return 0;
    }

    private sealed class Device(ScriptedVideo script) : IVideoDevice
    {
        private const int BufferLength = 4096;
        private readonly List<Mapping> _mapped = [];
        private readonly ConcurrentQueue<uint> _queued = new();
        private ScriptedFrame? _ready;

        public int Control(uint request, Span<byte> argument)
        {
            if (script.Errors.TryGetValue(request, out var error)) return error;
            switch (request)
            {
                case VideoConstants.QueryCapability:
                    ref var capability = ref As<VideoCapability>(argument);
                    capability.Capabilities = VideoConstants.CapabilityDeviceCapabilities | 0x00FF_FFFF;
                    capability.DeviceCapabilities = script.Capabilities;
                    return 0;
                case VideoConstants.EnumerateFormats:
                    ref var description = ref As<VideoFormatDescription>(argument);
                    var formats = script.Modes.Select(mode => mode.Format).Distinct().ToList();
                    if (description.Index >= formats.Count) return Errno.InvalidArgument;
                    description.PixelFormat = formats[(int)description.Index];
                    return 0;
                case VideoConstants.EnumerateFrameSizes:
                    ref var size = ref As<VideoFrameSize>(argument);
                    var format = size.PixelFormat;
                    var sizes = script.Modes.Where(mode => mode.Format == format).Select(mode => (mode.Width, mode.Height)).Distinct().ToList();
                    if (size.Index >= sizes.Count) return Errno.InvalidArgument;
                    (size.Type, size.DiscreteWidth, size.DiscreteHeight) = (VideoConstants.Discrete, sizes[(int)size.Index].Width, sizes[(int)size.Index].Height);
                    return 0;
                case VideoConstants.EnumerateFrameIntervals:
                    ref var interval = ref As<VideoFrameInterval>(argument);
                    var wanted = (interval.PixelFormat, interval.Width, interval.Height);
                    var rates = script.Modes.Where(mode => (mode.Format, mode.Width, mode.Height) == wanted).Select(mode => mode.Rate).ToList();
                    if (interval.Index >= rates.Count) return Errno.InvalidArgument;
                    (interval.Type, interval.Discrete) = (VideoConstants.Discrete, new VideoFraction { Numerator = 1, Denominator = rates[(int)interval.Index] });
                    return 0;
                case VideoConstants.SetFormat:
                    ref var asked = ref As<VideoFormat>(argument);
                    script.Asked = asked;
                    if (asked.PixelFormat == VideoConstants.Yuyv) asked.BytesPerLine = asked.Width * 2;
                    asked = script.AnswerFormat(asked);
                    return 0;
                case VideoConstants.GetParameters:
                    ref var parameters = ref As<VideoStreamParameters>(argument);
                    (parameters.Capability, parameters.TimePerFrame) = (VideoConstants.CapabilityTimePerFrame, new VideoFraction { Numerator = 1, Denominator = 15 });
                    return 0;
                case VideoConstants.SetParameters:
                    script.AskedInterval = As<VideoStreamParameters>(argument).TimePerFrame;
                    return 0;
                case VideoConstants.RequestBuffers:
                    // A queue belongs to whom it was opened by until its last buffer is unmapped.
                    if (script.MappedCount > 0) return Errno.Busy;
                    ref var buffers = ref As<VideoRequestBuffers>(argument);
                    buffers.Count = Math.Min(buffers.Count, script.MostBuffers);
                    return 0;
                case VideoConstants.QueryBuffer:
                    ref var query = ref As<VideoBuffer>(argument);
                    (query.Offset, query.Length) = (query.Index * BufferLength, BufferLength);
                    return 0;
                case VideoConstants.DequeueBuffer:
                    return Dequeue(ref As<VideoBuffer>(argument));
                case VideoConstants.QueueBuffer:
                    var index = As<VideoBuffer>(argument).Index;
                    if (_mapped[(int)index].WasFilled) Interlocked.Decrement(ref script._heldCount);
                    _queued.Enqueue(index);
                    return 0;
                default:
                    return 0;
            }
        }

        public int Map(uint offset, uint length, out IMemoryOwner<byte>? memory)
        {
            var mapping = new Mapping(script, new byte[length]);
            _mapped.Add(mapping);
            memory = mapping;
            return 0;
        }

        public bool WaitReady(int timeoutMilliseconds)
        {
            if (_queued.IsEmpty || !script._frames.TryTake(out var frame, timeoutMilliseconds)) return false;
            _ready = frame;
            return true;
        }

        public void Dispose() => script.ClosedCount++;

        private int Dequeue(ref VideoBuffer buffer)
        {
            if (_ready is not { } frame) return Errno.TryAgain;
            _ready = null;
            if (frame.Error != 0) return frame.Error;
            Assert.True(_queued.TryDequeue(out buffer.Index));
            Interlocked.Increment(ref script._heldCount);
            _mapped[(int)buffer.Index].Fill(frame.Content);
            (buffer.BytesUsed, buffer.Sequence, buffer.Length) = (frame.BytesUsed ?? (uint)frame.Content.Length, frame.Sequence, BufferLength);
            buffer.Flags = frame.Flags;
            (buffer.Seconds, buffer.Microseconds) = (frame.Nanoseconds / 1_000_000_000, frame.Nanoseconds % 1_000_000_000 / 1000);
            return 0;
        }

        private static ref T As<T>(Span<byte> argument) where T : struct => ref MemoryMarshal.AsRef<T>(argument);
    }

    private sealed class Mapping : IMemoryOwner<byte>
    {
        private readonly ScriptedVideo _script;
        private readonly byte[] _bytes;

        public Mapping(ScriptedVideo script, byte[] bytes)
        {
            (_script, _bytes) = (script, bytes);
            Interlocked.Increment(ref script._mappedCount);
        }

        public Memory<byte> Memory => _bytes;

        public bool WasFilled { get; private set; }

        public void Fill(byte[] content)
        {
            content.CopyTo(_bytes, 0);
            WasFilled = true;
        }

        /// <summary>Who still reads this sees it.</summary>
        public void Dispose()
        {
            Array.Fill(_bytes, (byte)0xDD);
            Interlocked.Decrement(ref _script._mappedCount);
        }
    }
}
