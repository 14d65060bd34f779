using System.Runtime.InteropServices;
using Dunlin.Runtime.Frames;
using SkiaSharp;

namespace Dunlin.Optimizer.Data;

/// <summary>PNG images as the RGB frames that the device's preprocessing takes: alpha and colour profile are ignored, 16 bits become 8.</summary>
internal static class PngFrame
{
    private static readonly long MaximumPixelCount = ImageLimits.Jpeg.MaximumPixelCount;

    public static bool HasMagic(ReadOnlySpan<byte> bytes) => bytes is [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A, ..];

    /// <returns>Why it cannot be decoded; null if it could.</returns>
    public static string? Decode(byte[] png, FrameBuffer frame)
    {
        using var data = SKData.CreateCopy(png);
        using var codec = SKCodec.Create(data);
        if (codec is null) return "damaged PNG";
        var (width, height) = (codec.Info.Width, codec.Info.Height);
        if ((long)width * height > MaximumPixelCount) return $"{width}×{height} pixels are too many";
        // Without a colour space in the target, Skia converts none.
        var info = new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul, colorspace: null);
        using var bitmap = new SKBitmap(info);
        var result = codec.GetPixels(info, bitmap.GetPixels());
        if (result != SKCodecResult.Success) return $"damaged PNG ({result})";

        frame.Format = PixelFormat.Rgb24;
        (frame.Width, frame.Height, frame.Stride) = (width, height, 3 * width);
        DropAlpha(bitmap.GetPixelSpan(), frame.Resize(3 * width * height));
        return null;
    }

    private static void DropAlpha(ReadOnlySpan<byte> rgba, Span<byte> rgb)
    {
        var pixels = MemoryMarshal.Cast<byte, uint>(rgba);
        for (var i = 0; i < pixels.Length; i++)
        {
            var pixel = pixels[i];
            (rgb[3 * i], rgb[3 * i + 1], rgb[3 * i + 2]) = ((byte)pixel, (byte)(pixel >> 8), (byte)(pixel >> 16));
        }
    }
}
