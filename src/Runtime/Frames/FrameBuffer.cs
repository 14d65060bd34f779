namespace Dunlin.Runtime.Frames;

/// <summary>How the bytes of a frame are to be read.</summary>
public enum PixelFormat
{
    /// <summary>One whole JPEG image; width and height stand in its header only.</summary>
    Jpeg = 1,

    /// <summary>YUV 4:2:2 packed, BT.601 limited range: Y0 U Y1 V.</summary>
    Yuyv = 2,

    /// <summary>Three bytes a pixel, full range.</summary>
    Rgb24 = 3,
}

/// <summary>
/// One frame: in reused memory of its own, or in memory that someone lends. Owned by whoever took it from the slot,
/// until it is returned there.
/// </summary>
/// <param name="returned">Told, on any thread, that nobody reads the frame any more; null for a buffer of the slot's own.</param>
public sealed class FrameBuffer(Action? returned = null)
{
    private byte[] _bytes = [];
    private ReadOnlyMemory<byte> _content;

    public PixelFormat Format { get; set; }

    /// <summary>Pixels; 0 for JPEG.</summary>
    public int Width { get; set; }

    /// <summary>Pixels; 0 for JPEG.</summary>
    public int Height { get; set; }

    /// <summary>Bytes from one row to the next; 0 for JPEG.</summary>
    public int Stride { get; set; }

    /// <summary>CLOCK_MONOTONIC nanoseconds at the capture.</summary>
    public long CapturedNanoseconds { get; set; }

    /// <summary>The camera's count of this frame, from 0.</summary>
    public long Number { get; set; }

    public int Length => _content.Length;

    public ReadOnlySpan<byte> Content => _content.Span;

    internal Action? Returned { get; } = returned;

    /// <summary>Memory of exactly this length to write a frame into; grows the buffer only if it must. Former content is not kept.</summary>
    public Span<byte> Resize(int length)
    {
        if (_bytes.Length < length) _bytes = GC.AllocateUninitializedArray<byte>(length + length / 4, pinned: true);
        _content = _bytes.AsMemory(0, length);
        return _bytes.AsSpan(0, length);
    }

    /// <summary>The same frame in memory of its own.</summary>
    public FrameBuffer Copy()
    {
        var copy = new FrameBuffer { Format = Format, Width = Width, Height = Height, Stride = Stride, CapturedNanoseconds = CapturedNanoseconds, Number = Number };
        Content.CopyTo(copy.Resize(Length));
        return copy;
    }

    /// <summary>The frame is this memory, which stays as it is until the frame is returned.</summary>
    public void Show(ReadOnlyMemory<byte> content) => _content = content;
}
