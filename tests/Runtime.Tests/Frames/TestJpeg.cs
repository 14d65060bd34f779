using System.Runtime.InteropServices;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Runtime.Tests.Frames;

/// <summary>JPEG images made by libturbojpeg's encoder, so that no test needs a file.</summary>
internal static partial class TestJpeg
{
    public const int Sampling444 = 0, Sampling422 = 1, Sampling420 = 2, SamplingGray = 3, Sampling440 = 4, Sampling411 = 5;
    public const int Progressive = 16384;

    /// <summary>Smooth colours with some structure, the same for the same size.</summary>
    public static byte[] Photograph(int width, int height)
    {
        var rgb = new byte[width * height * 3];
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var at = (y * width + x) * 3;
                rgb[at] = (byte)(128 + 100 * Math.Sin(x * 0.05) * Math.Cos(y * 0.031));
                rgb[at + 1] = (byte)(128 + 90 * Math.Sin(x * 0.013 + y * 0.07));
                rgb[at + 2] = (byte)((x * 3 + y * 2) % 200 + (x / 16 + y / 16) % 2 * 40);
            }

        return rgb;
    }

    public static byte[] Encode(int width, int height, int sampling = Sampling420, int quality = 90, int flags = 0) =>
        Encode(Photograph(width, height), width, height, sampling, quality, flags);

    /// <summary>With a restart marker after each row of blocks. Sets the environment meanwhile: alone in the process only.</summary>
    public static byte[] EncodeWithRestarts(int width, int height, int sampling = Sampling420)
    {
        Assert.Equal(0, SetEnvironment("TJ_RESTART", "1", 1));
        try
        {
            var jpeg = Encode(width, height, sampling);
            Assert.True(jpeg.AsSpan().IndexOf((byte[])[0xFF, 0xD4]) > 0, "The encoder has set no restart markers.");
            return jpeg;
        }
        finally
        {
            _ = UnsetEnvironment("TJ_RESTART");
        }
    }

    public static unsafe byte[] Encode(byte[] rgb, int width, int height, int sampling, int quality = 90, int flags = 0)
    {
        var encoded = new byte[TurboJpeg.BufferSize(width, height, sampling)];
        var length = (nuint)encoded.Length;
        var handle = TurboJpeg.InitCompress();
        fixed (byte* pixels = rgb, buffer = encoded)
        {
            var jpeg = buffer;
            Assert.Equal(0, TurboJpeg.Compress(
                handle, pixels, width, 3 * width, height, TurboJpeg.PixelFormatRgb, &jpeg, &length, sampling, quality, flags | TurboJpeg.NoReallocation));
        }

        _ = TurboJpeg.Destroy(handle);
        return encoded[..(int)length];
    }

    public static FrameBuffer Frame(ReadOnlySpan<byte> jpeg)
    {
        var frame = new FrameBuffer { Format = PixelFormat.Jpeg };
        jpeg.CopyTo(frame.Resize(jpeg.Length));
        return frame;
    }

    public static FrameBuffer Frame(PixelFormat format, int width, int height, ReadOnlySpan<byte> pixels)
    {
        var frame = new FrameBuffer { Format = format, Width = width, Height = height, Stride = pixels.Length / height };
        pixels.CopyTo(frame.Resize(pixels.Length));
        return frame;
    }

    /// <summary>The same image with another size written into its frame header.</summary>
    public static byte[] Claiming(byte[] jpeg, int width, int height)
    {
        var changed = (byte[])jpeg.Clone();
        var at = 2;
        while (changed[at + 1] is not (0xC0 or 0xC2)) at += 2 + (changed[at + 2] << 8 | changed[at + 3]);
        (changed[at + 5], changed[at + 6]) = ((byte)(height >> 8), (byte)height);
        (changed[at + 7], changed[at + 8]) = ((byte)(width >> 8), (byte)width);
        return changed;
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "unsetenv", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int UnsetEnvironment(string name);
}
