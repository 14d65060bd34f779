using System.Buffers;
using Dunlin.Runtime.Frames;

namespace Dunlin.Runtime.Cameras.V4l2;

/// <summary>
/// The driver's buffers of one session. A frame that is lent keeps its buffer until its reader is done, on whichever thread;
/// what is still being read when the session ends is unmapped after that.
/// </summary>
internal sealed class DriverBuffers(IVideoDevice device)
{
    // The newest frame, one that is being read, and two for the driver to fill in turns.
    private const int LeastToLend = 4;

    private readonly Lock _gate = new();
    private readonly List<DriverBuffer> _buffers = [];
    private bool _isClosed;

    /// <summary>Whether the driver has enough of them to lend some.</summary>
    public bool CanLend => _buffers.Count >= LeastToLend;

    /// <summary>Maps one more and gives it to the driver; the error number and the call it came from.</summary>
    public (int Error, string Call) Add(in VideoBuffer described)
    {
        var error = device.Map(described.Offset, described.Length, out var memory);
        if (error != 0) return (error, "mmap");
        var index = _buffers.Count;
        _buffers.Add(new DriverBuffer(memory!, new FrameBuffer(() => TakeBack(index))));
        return (Queue(index), "QBUF");
    }

    public ReadOnlyMemory<byte> Content(int index) => _buffers[index].Memory.Memory;

    /// <summary>The driver may fill it again.</summary>
    public int Queue(int index)
    {
        var buffer = new VideoBuffer { Index = (uint)index, Type = VideoConstants.TypeVideoCapture, Memory = VideoConstants.MemoryMapped };
        return device.Control(VideoConstants.QueueBuffer, ref buffer);
    }

    /// <summary>A frame of this much of the buffer, which the driver has again once the frame is returned.</summary>
    public FrameBuffer Lend(int index, int length)
    {
        var buffer = _buffers[index];
        buffer.IsLent = true;
        buffer.Frame.Show(buffer.Memory.Memory[..length]);
        return buffer.Frame;
    }

    /// <summary>Before the device is closed.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
            foreach (var buffer in _buffers)
                if (!buffer.IsLent) buffer.Memory.Dispose();
        }
    }

    /// <summary>What the driver says to it is not needed: without buffers it fills no more, which the camera sees as a stall.</summary>
    private void TakeBack(int index)
    {
        lock (_gate)
        {
            _buffers[index].IsLent = false;
            if (_isClosed) _buffers[index].Memory.Dispose();
            else _ = Queue(index);
        }
    }

    private sealed class DriverBuffer(IMemoryOwner<byte> memory, FrameBuffer frame)
    {
        public IMemoryOwner<byte> Memory { get; } = memory;
        public FrameBuffer Frame { get; } = frame;
        public bool IsLent { get; set; }
    }
}
