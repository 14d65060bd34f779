using System.Buffers.Binary;

namespace Dunlin.Runtime.Cameras;

internal enum JpegStep
{
    NeedsMore = 1,
    Complete = 2,
    Broken = 3,
}

/// <summary>
/// Walks the markers of one JPEG image that begins at the first byte. Can be called again with the same bytes and more after
/// them, and goes on where it stopped; each byte is looked at once.
/// </summary>
internal sealed class JpegWalker
{
    // Tables and headers are far shorter; only APP and COM segments may fill their 64 KiB. So the length that half a frame
    // and the next frame's SOI make together is seen at once.
    private const int LongestTable = 4096;
    private bool _inScan;
    private bool _hasFrameHeader;
    private bool _hasScan;
    private int _segmentStart;

    /// <summary>The first byte not walked yet; after <see cref="JpegStep.Complete"/> the image's length.</summary>
    public int Position { get; private set; }

    /// <summary>
    /// After <see cref="JpegStep.Broken"/>: where to look for the next image. The length of the last segment cannot be trusted,
    /// since the image may have broken off in it: the search goes on inside.
    /// </summary>
    public int ResumeAt { get; private set; }

    /// <summary>Begins with the bytes after SOI.</summary>
    public void Restart()
    {
        (_inScan, _hasFrameHeader, _hasScan) = (false, false, false);
        (Position, _segmentStart) = (2, 2);
    }

    public JpegStep Walk(ReadOnlySpan<byte> bytes)
    {
        while (true)
        {
            if (_inScan)
            {
                var data = bytes[Position..];
                var marker = data.IndexOf((byte)0xFF);
                Position += marker < 0 ? data.Length : marker;
            }

            if (bytes.Length - Position < 2) return bytes.Length > Position && bytes[Position] != 0xFF ? Break(_segmentStart) : JpegStep.NeedsMore;
            if (bytes[Position] != 0xFF) return Break(_segmentStart);
            var code = bytes[Position + 1];
            if (code == 0xFF)
            {
                Position++;
                continue;
            }

            if (code is 0x00 or >= 0xD0 and <= 0xD7)
            {
                if (!_inScan) return Break(_segmentStart);
                Position += 2;
                continue;
            }

            if (code == 0xD8) return Break(Position);
            if (code == 0xD9)
            {
                if (!_hasFrameHeader || !_hasScan) return Break(_inScan ? Position + 2 : _segmentStart);
                Position += 2;
                return JpegStep.Complete;
            }

            if (!StartsSegment(code)) return Break(_inScan ? Position : _segmentStart);
            if (bytes.Length - Position < 4) return JpegStep.NeedsMore;
            int length = BinaryPrimitives.ReadUInt16BigEndian(bytes[(Position + 2)..]);
            if (length < 2 || (length > LongestTable && code is < 0xE0)) return Break(Position + 2);
            if (bytes.Length - Position < 2 + length) return JpegStep.NeedsMore;
            _segmentStart = Position + 2;
            Position += 2 + length;
            _hasFrameHeader |= code is >= 0xC0 and <= 0xCF and not (0xC4 or 0xC8 or 0xCC);
            _inScan = code == 0xDA;
            _hasScan |= _inScan;
        }
    }

    private JpegStep Break(int resumeAt)
    {
        ResumeAt = resumeAt;
        return JpegStep.Broken;
    }

    private static bool StartsSegment(byte code) =>
        code is >= 0xC0 and <= 0xCF and not 0xC8 or >= 0xDA and <= 0xDF or >= 0xE0 and <= 0xEF or 0xFE;
}
