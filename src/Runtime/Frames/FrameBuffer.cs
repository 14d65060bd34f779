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

/// <summary>One frame in reused memory. Owned by whoever took it from the slot, until it is returned there.</summary>
public sealed class FrameBuffer
{
    private byte[] _bytes = [];

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

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Content => _bytes.AsSpan(0, Length);

    /// <summary>Memory of exactly this length to write a frame into; grows the buffer only if it must. Former content is not kept.</summary>
    public Span<byte> Resize(int length)
    {
        if (_bytes.Length < length) _bytes = GC.AllocateUninitializedArray<byte>(length + length / 4, pinned: true);
        Length = length;
        return _bytes.AsSpan(0, length);
    }
}
