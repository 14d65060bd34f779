using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using SkiaSharp;

namespace Dunlin.Optimizer.Belt;

/// <summary>A camera above a conveyor belt: garments lie on black trays and pass from left to right through an inspection window in the middle.</summary>
internal sealed class BeltScene : IDisposable
{
    /// <summary>Pixels.</summary>
    public const int Width = 640, Height = 480;

    // A multiple of 28 × 8 on the grid of JPEG's 8 × 8 blocks: decoded at an eighth, each block is one pixel of the model.
    private const int WindowSide = 224, WindowLeft = 208, WindowTop = 128;

    /// <summary>Pixels from one garment to the next.</summary>
    private const int Spacing = 304;

    private const int TrayBorder = 8, SlatWidth = 38, JpegQuality = 90;

    private readonly LabelledImages _images;
    private readonly SKSurface _surface = SKSurface.Create(new SKImageInfo(Width, Height, SKColorType.Rgba8888, SKAlphaType.Opaque));
    private readonly SKBitmap _garment;

    public BeltScene(LabelledImages images)
    {
        _images = images;
        _garment = new SKBitmap(new SKImageInfo(images.Width, images.Height, SKColorType.Gray8, SKAlphaType.Opaque));
    }

    /// <summary>The inspection window, as the manifest states it.</summary>
    public static RegionOfInterest Window { get; } = new()
    {
        X = (double)WindowLeft / Width,
        Y = (double)WindowTop / Height,
        Width = (double)WindowSide / Width,
        Height = (double)WindowSide / Height,
    };

    /// <summary>One frame as a JPEG file.</summary>
    /// <param name="index">The garment in or before the window; the others follow in order.</param>
    /// <param name="travel">0: it rests in the window; towards 1: the next one is about to.</param>
    public byte[] Render(int index, double travel)
    {
        var canvas = _surface.Canvas;
        var shift = (int)Math.Round(travel * Spacing);
        DrawBelt(canvas, (long)index * Spacing + shift);
        for (var place = -1; place <= 2; place++)
        {
            var image = ((index + place) % _images.Count + _images.Count) % _images.Count;
            DrawGarment(canvas, image, WindowLeft - place * Spacing + shift);
        }

        DrawWindow(canvas);
        using var snapshot = _surface.Snapshot();
        using var jpeg = snapshot.Encode(SKEncodedImageFormat.Jpeg, JpegQuality);
        return jpeg.ToArray();
    }

    public void Dispose()
    {
        _garment.Dispose();
        _surface.Dispose();
    }

    private static void DrawBelt(SKCanvas canvas, long offset)
    {
        canvas.Clear(new SKColor(46, 52, 56));
        using var gap = new SKPaint { Color = new SKColor(34, 39, 42), StrokeWidth = 3 };
        using var shine = new SKPaint { Color = new SKColor(58, 65, 70), StrokeWidth = 2 };
        for (var x = offset % SlatWidth - SlatWidth; x < Width + SlatWidth; x += SlatWidth)
        {
            canvas.DrawLine(x, 0, x, Height, gap);
            canvas.DrawLine(x + 4, 0, x + 4, Height, shine);
        }

        using var rail = new SKPaint { Color = new SKColor(150, 156, 160) };
        canvas.DrawRect(0, 0, Width, 40, rail);
        canvas.DrawRect(0, Height - 40, Width, 40, rail);
        using var edge = new SKPaint { Color = new SKColor(216, 174, 40) };
        canvas.DrawRect(0, 40, Width, 6, edge);
        canvas.DrawRect(0, Height - 46, Width, 6, edge);
    }

    private void DrawGarment(SKCanvas canvas, int index, int left)
    {
        using var tray = new SKPaint { Color = new SKColor(18, 19, 20), IsAntialias = true };
        var outer = new SKRect(left - TrayBorder, WindowTop - TrayBorder, left + WindowSide + TrayBorder, WindowTop + WindowSide + TrayBorder);
        canvas.DrawRoundRect(outer, TrayBorder, TrayBorder, tray);
        _images.Image(index).CopyTo(_garment.GetPixelSpan());
        _garment.NotifyPixelsChanged();
        using var image = SKImage.FromBitmap(_garment);
        canvas.DrawImage(image, new SKRect(left, WindowTop, left + WindowSide, WindowTop + WindowSide), new SKSamplingOptions(SKFilterMode.Linear));
    }

    // Corner marks outside of the window, so that they are not part of what is classified.
    private static void DrawWindow(SKCanvas canvas)
    {
        const int arm = 28, gap = 12;
        using var mark = new SKPaint { Color = new SKColor(64, 200, 120), StrokeWidth = 3, Style = SKPaintStyle.Stroke };
        float left = WindowLeft - gap, top = WindowTop - gap, right = WindowLeft + WindowSide + gap, bottom = WindowTop + WindowSide + gap;
        foreach (var (x, dx) in new[] { (left, arm), (right, -arm) })
        {
            foreach (var (y, dy) in new[] { (top, arm), (bottom, -arm) })
            {
                canvas.DrawLine(x, y, x + dx, y, mark);
                canvas.DrawLine(x, y, x, y + dy, mark);
            }
        }
    }
}
