using System.Runtime.InteropServices;
using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using SkiaSharp;

namespace Dunlin.Optimizer.Explanation;

/// <summary>A heat map laid over the part of a picture that the model saw; the rest is darkened.</summary>
internal static class HeatOverlay
{
    private const int HeatSide = 96;
    private const byte MostOpaque = 190;
    private const int JpegQuality = 82;
    private static readonly SKColor Weak = new(255, 214, 90), Strong = new(214, 26, 40), Unseen = new(0, 0, 0, 150);

    /// <summary>Half way to gray, so that the heat is the only strong colour.</summary>
    private static readonly float[] Muted = [.. Row(0), .. Row(1), .. Row(2), 0, 0, 0, 1, 0];

    /// <param name="frame">The picture as it was read.</param>
    /// <param name="input">How it was brought to the model.</param>
    /// <param name="heat">Over the model's input; null for the picture alone.</param>
    /// <param name="leastSide">Pixels of the longer side, to which a smaller picture is enlarged.</param>
    /// <param name="mostSide">Pixels of the longer side, to which a larger picture is shrunk.</param>
    public static SKImage Draw(FrameBuffer frame, InputSpec input, HeatMap? heat, int leastSide, int mostSide)
    {
        using var picture = PictureOf(frame);
        float side = Math.Max(picture.Width, picture.Height);
        var scale = Math.Clamp(side, leastSide, mostSide) / side;
        var whole = SKRect.Create(Math.Max(1, (int)MathF.Round(picture.Width * scale)), Math.Max(1, (int)MathF.Round(picture.Height * scale)));
        using var surface = SKSurface.Create(new SKImageInfo((int)whole.Width, (int)whole.Height, SKColorType.Rgba8888, SKAlphaType.Premul));
        using var image = SKImage.FromBitmap(picture);
        using var paint = new SKPaint();
        if (heat is not null) paint.ColorFilter = SKColorFilter.CreateColorMatrix(Muted);
        surface.Canvas.DrawImage(image, whole, scale > 2 ? new SKSamplingOptions(SKFilterMode.Nearest) : new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear), paint);
        if (heat is not null) DrawHeat(surface.Canvas, whole, Fit.Of(input, picture.Width, picture.Height), input, heat, scale);
        return surface.Snapshot();
    }

    public static byte[] Png(SKImage image) => Encoded(image, SKEncodedImageFormat.Png);

    public static byte[] Jpeg(SKImage image) => Encoded(image, SKEncodedImageFormat.Jpeg);

    private static void DrawHeat(SKCanvas canvas, SKRect whole, Fit fit, InputSpec input, HeatMap heat, float scale)
    {
        var seen = SKRect.Create((float)fit.SourceX * scale, (float)fit.SourceY * scale, (float)fit.SourceWidth * scale, (float)fit.SourceHeight * scale);
        using var unseen = new SKPaint { Color = Unseen };
        canvas.Save();
        canvas.ClipRect(seen, SKClipOperation.Difference);
        canvas.DrawRect(whole, unseen);
        canvas.Restore();
        // Of a letterbox, the picture is a part of the input.
        var part = SKRect.Create(fit.TargetX, fit.TargetY, fit.TargetWidth, fit.TargetHeight);
        var (across, down) = ((float)HeatSide / input.Width, (float)HeatSide / input.Height);
        using var colours = Colours(heat.Resized(HeatSide, HeatSide).Normalized());
        canvas.DrawImage(colours, new SKRect(part.Left * across, part.Top * down, part.Right * across, part.Bottom * down), seen, new SKSamplingOptions(SKFilterMode.Linear), null);
    }

    private static SKImage Colours(HeatMap heat)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(heat.Width, heat.Height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        for (var i = 0; i < pixels.Length; i++) pixels[i] = Colour(heat.Values[i]);
        return SKImage.FromBitmap(bitmap);
    }

    private static uint Colour(float heat)
    {
        byte Between(byte weak, byte strong) => (byte)float.Lerp(weak, strong, heat);
        return Between(Weak.Red, Strong.Red) | (uint)Between(Weak.Green, Strong.Green) << 8 | (uint)Between(Weak.Blue, Strong.Blue) << 16 | (uint)(MostOpaque * heat) << 24;
    }

    private static SKBitmap PictureOf(FrameBuffer frame)
    {
        if (frame.Format == PixelFormat.Jpeg) return SKBitmap.Decode(frame.Content) ?? throw new InvalidDataException("The JPEG cannot be drawn; save it anew as RGB or gray.");
        var bitmap = new SKBitmap(new SKImageInfo(frame.Width, frame.Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
        var pixels = bitmap.GetPixelSpan();
        for (var i = 0; i < frame.Width * frame.Height; i++)
        {
            frame.Content.Slice(3 * i, 3).CopyTo(pixels[(4 * i)..]);
            pixels[4 * i + 3] = byte.MaxValue;
        }

        return bitmap;
    }

    private static byte[] Encoded(SKImage image, SKEncodedImageFormat format)
    {
        using var data = image.Encode(format, JpegQuality);
        return data.ToArray();
    }

    // Luma by ITU-R BT.709.
    private static float[] Row(int channel)
    {
        float[] row = [0.2126f / 2, 0.7152f / 2, 0.0722f / 2, 0, 0];
        row[channel] += 0.5f;
        return row;
    }
}
