using System.Buffers.Binary;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>The marker segments of a JPEG from SOI to its first scan (ITU-T T.81 §B.1.1.4), one after the other.</summary>
internal ref struct JpegSegments(ReadOnlySpan<byte> jpeg)
{
    public const byte StartOfScan = 0xDA;

    private readonly ReadOnlySpan<byte> _jpeg = jpeg;

    /// <summary>Of the first byte behind what was read.</summary>
    public int Position { get; private set; } = 2;

    /// <summary>False if the image ends, or is broken, before the end of its next segment.</summary>
    /// <param name="marker">The byte behind 0xFF.</param>
    /// <param name="content">Without marker and length.</param>
    public bool TryRead(out byte marker, out ReadOnlySpan<byte> content)
    {
        marker = 0;
        content = default;
        var at = Position;
        if (at >= _jpeg.Length || _jpeg[at] != 0xFF) return false;
        while (at < _jpeg.Length && _jpeg[at] == 0xFF) at++;
        if (at + 3 > _jpeg.Length) return false;
        marker = _jpeg[at++];
        var length = BinaryPrimitives.ReadUInt16BigEndian(_jpeg[at..]);
        if (length < 2 || at + length > _jpeg.Length) return false;
        content = _jpeg.Slice(at + 2, length - 2);
        Position = at + length;
        return true;
    }
}
