using System.Buffers.Binary;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// What the markers before the first scan say (ITU-T T.81 §B.2). Read here, strictly and without allocating, so that
/// libturbojpeg sees only images that were found small enough.
/// </summary>
/// <param name="Width">Pixels.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Buffered">Progressive or of several scans: the decoder must keep all its coefficients.</param>
public readonly record struct JpegHeader(int Width, int Height, bool Buffered)
{
    /// <summary>Whether the bytes begin as every JPEG image does: SOI, then another marker.</summary>
    public static bool HasMagic(ReadOnlySpan<byte> bytes) => bytes is [0xFF, 0xD8, 0xFF, ..];

    /// <summary>False if the image ends, breaks the syntax, or is of a kind that is not decoded, before its first scan.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out JpegHeader header)
    {
        header = default;
        if (!HasMagic(bytes)) return false;
        int width = 0, height = 0, components = 0;
        var progressive = false;
        var segments = new JpegSegments(bytes);
        while (segments.TryRead(out var marker, out var segment))
        {
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    if (components != 0 || segment.Length < 6 || segment[0] != 8) return false;
                    progressive = marker == 0xC2;
                    height = BinaryPrimitives.ReadUInt16BigEndian(segment[1..]);
                    width = BinaryPrimitives.ReadUInt16BigEndian(segment[3..]);
                    components = segment[5];
                    if (width == 0 || height == 0 || components is not (1 or 3)) return false;
                    break;
                case JpegSegments.StartOfScan:
                    if (components == 0 || segment.IsEmpty) return false;
                    header = new JpegHeader(width, height, progressive || segment[0] != components);
                    return true;
                case 0xC4 or 0xDB or 0xDD or 0xFE or (>= 0xE0 and <= 0xEF):
                    break;
                default:
                    return false;
            }
        }

        return false;
    }

    /// <summary>Which kind of JPEG it says that it is, where that is one that is not decoded, with its article; else null.</summary>
    public static string? UndecodedKind(ReadOnlySpan<byte> bytes)
    {
        if (!HasMagic(bytes)) return null;
        var segments = new JpegSegments(bytes);
        while (segments.TryRead(out var marker, out var segment))
        {
            switch (marker)
            {
                case 0xC0 or 0xC1 or 0xC2:
                    return segment is [12, ..] ? "a 12-bit" : segment is [8, _, _, _, _, 4, ..] ? "a CMYK" : null;
                case 0xC3:
                    return "a lossless";
                case 0xC5 or 0xC6 or 0xC7 or 0xDE:
                    return "a hierarchical";
                case 0xC9 or 0xCA or 0xCB or 0xCC or 0xCD or 0xCE or 0xCF:
                    return "an arithmetic-coded";
                case JpegSegments.StartOfScan:
                    return null;
            }
        }

        return null;
    }
}
