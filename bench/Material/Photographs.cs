using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Preprocessing;
using SkiaSharp;

namespace Dunlin.Bench.Material;

/// <summary>The labelled photographs of the shared data, as files, camera frames and tensors.</summary>
internal sealed class Photographs
{
    public const int FrameWidth = 640;
    public const int FrameHeight = 480;
    private const int FrameCount = 100;
    private const int JpegQuality = 85;

    private readonly IReadOnlyList<(string Path, int Label)> _all;

    public Photographs(Workshop workshop) => _all = [.. File.ReadLines(workshop.ImageNetFile("labels.csv")).Skip(1).Select(line => line.Split(','))
        .Select(fields => (Path.Combine(workshop.ImageNet, "images", fields[0]), int.Parse(fields[1], System.Globalization.CultureInfo.InvariantCulture)))];

    public int Count => _all.Count;

    public int Label(int index) => _all[index].Label;

    public byte[] Jpeg(int index) => File.ReadAllBytes(_all[index].Path);

    /// <summary>A folder of 640×480 JPEG frames, scaled up from the photographs.</summary>
    public string Frames(Workshop workshop) => workshop.Once("frames", folder =>
    {
        Directory.CreateDirectory(folder);
        for (var i = 0; i < FrameCount; i++)
        {
            using var frame = Scaled(i, FrameWidth, FrameHeight);
            using var jpeg = frame.Encode(SKEncodedImageFormat.Jpeg, JpegQuality);
            File.WriteAllBytes(Path.Combine(folder, $"{i:d4}.jpg"), jpeg.ToArray());
        }
    });

    /// <summary>640×480 frames as a YUYV camera gives them (BT.601, limited range).</summary>
    public IReadOnlyList<byte[]> YuyvFrames(int count) => [.. Enumerable.Range(0, count).Select(i =>
    {
        using var frame = Scaled(i, FrameWidth, FrameHeight);
        return Yuyv(frame.Pixels);
    })];

    /// <summary>RGB pixels, height × width × 3.</summary>
    public byte[] Pixels(int index, int side)
    {
        using var image = Scaled(index, side, side);
        return [.. image.Pixels.SelectMany(pixel => new[] { pixel.Red, pixel.Green, pixel.Blue })];
    }

    /// <summary>What the network sees of the photographs, through the device's own preprocessing; the memory is reused.</summary>
    public IEnumerable<float[]> Tensors(InputSpec input, IEnumerable<int> indices)
    {
        using var preprocessor = new Preprocessor(input);
        var tensor = new float[preprocessor.TensorLength];
        foreach (var index in indices)
        {
            preprocessor.ProcessModelSized(Pixels(index, input.Width), tensor);
            yield return tensor;
        }
    }

    private SKBitmap Scaled(int index, int width, int height)
    {
        using var photograph = SKBitmap.Decode(_all[index].Path);
        return photograph.Resize(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque), new SKSamplingOptions(SKCubicResampler.Mitchell));
    }

    private static byte[] Yuyv(SKColor[] pixels)
    {
        var bytes = new byte[pixels.Length * 2];
        for (var i = 0; i < pixels.Length; i += 2)
        {
            var (a, b) = (pixels[i], pixels[i + 1]);
            bytes[2 * i] = Luma(a);
            bytes[2 * i + 1] = Chroma(-0.148, -0.291, 0.439, a, b);
            bytes[2 * i + 2] = Luma(b);
            bytes[2 * i + 3] = Chroma(0.439, -0.368, -0.071, a, b);
        }

        return bytes;
    }

    private static byte Luma(SKColor c) => (byte)Math.Round(16 + 0.257 * c.Red + 0.504 * c.Green + 0.098 * c.Blue);

    private static byte Chroma(double red, double green, double blue, SKColor a, SKColor b) =>
        (byte)Math.Round(128 + (red * (a.Red + b.Red) + green * (a.Green + b.Green) + blue * (a.Blue + b.Blue)) / 2);
}
