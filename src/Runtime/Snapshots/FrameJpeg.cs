using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Runtime.Snapshots;

/// <summary>A frame as a JPEG that fits into a message. A frame that is one, and small enough, stays as it is.</summary>
public static unsafe class FrameJpeg
{
    private const int LongestSide = 1280;
    private static readonly int[] Qualities = [85, 70, 50, 30, 15];

    /// <summary>Pixels of the frame; null if it has no size, for example since it is no JPEG.</summary>
    public static (int Width, int Height)? SizeOf(FrameBuffer frame) =>
        frame.Format != PixelFormat.Jpeg ? (frame.Width, frame.Height)
        : JpegHeader.TryRead(frame.Content, out var header) ? (header.Width, header.Height) : null;

    /// <returns>Null if the frame cannot be read, or has too many bytes even at the lowest quality.</returns>
    /// <exception cref="InvalidOperationException">libturbojpeg is not installed, or refuses.</exception>
    public static byte[]? Encode(FrameBuffer frame, int maximumByteCount)
    {
        switch (frame.Format)
        {
            case PixelFormat.Jpeg when frame.Length <= maximumByteCount:
                return frame.Content.ToArray();
            case PixelFormat.Jpeg:
                using (var decoder = new JpegDecoder(JpegLimits.Default, grayOnly: false))
                    return decoder.Decode(frame.Content, ScaleOf, out var decoded) == FrameStatus.Ok ? Fitting(decoded, maximumByteCount) : null;
            case PixelFormat.Yuyv:
                return FromYuyv(frame, maximumByteCount);
            case PixelFormat.Rgb24:
                fixed (byte* pixels = frame.Content)
                {
                    var shape = new PictureShape(PixelLayout.Rgb, Packing.Rgb24, frame.Width, frame.Height, 8, 1, 1);
                    return Fitting(new Picture { Shape = shape, Plane0 = pixels, Stride0 = frame.Stride }, maximumByteCount);
                }

            default:
                throw new ArgumentOutOfRangeException(nameof(frame), frame.Format, "There is no such format.");
        }
    }

    private static byte[]? Fitting(in Picture picture, int maximumByteCount)
    {
        foreach (var quality in Qualities)
        {
            var encoded = JpegEncoder.Encode(picture, quality);
            if (encoded.Length <= maximumByteCount) return encoded;
        }

        return null;
    }

    private static byte[]? FromYuyv(FrameBuffer frame, int maximumByteCount)
    {
        var (width, height) = (frame.Width, frame.Height);
        var (luma, chroma) = (new byte[width * height], new byte[width * height]);
        var half = width / 2;
        for (var y = 0; y < height; y++)
        {
            var row = frame.Content.Slice(y * frame.Stride, 2 * width);
            for (var x = 0; x < half; x++)
            {
                luma[y * width + 2 * x] = Luma(row[4 * x]);
                luma[y * width + 2 * x + 1] = Luma(row[4 * x + 2]);
                chroma[y * half + x] = Chroma(row[4 * x + 1]);
                chroma[(height + y) * half + x] = Chroma(row[4 * x + 3]);
            }
        }

        fixed (byte* y = luma, uv = chroma)
        {
            var shape = new PictureShape(PixelLayout.FullRangeYuv, Packing.Planar, width, height, 8, 2, 1);
            return Fitting(new Picture { Shape = shape, Plane0 = y, Plane1 = uv, Plane2 = uv + height * half, Stride0 = width, Stride1 = half, Stride2 = half }, maximumByteCount);
        }
    }

    // BT.601, limited range to JPEG's full one (ITU-T T.871).
    private static byte Luma(byte value) => Saturated((value - 16) * 255 / 219.0);

    private static byte Chroma(byte value) => Saturated((value - 128) * 255 / 224.0 + 128);

    private static byte Saturated(double value) => (byte)Math.Clamp(Math.Round(value), 0, 255);

    private static int ScaleOf(int width, int height)
    {
        var eighths = 8;
        while (eighths > 1 && Math.Max(width, height) * eighths > 8 * LongestSide) eighths /= 2;
        return eighths;
    }
}
