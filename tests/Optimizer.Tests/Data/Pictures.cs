using Dunlin.Optimizer.Data;
using SkiaSharp;

namespace Dunlin.Optimizer.Tests.Data;

/// <summary>Small image files of one colour each.</summary>
internal static class Pictures
{
    public static readonly SKColor Red = new(230, 20, 20), Green = new(20, 230, 20), Blue = new(20, 20, 230);

    public static void Write(string path, SKColor colour, int width = 16, int height = 12)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, Encoded(colour, width, height, path.EndsWith(".png", StringComparison.Ordinal) ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg));
    }

    public static byte[] Encoded(SKColor colour, int width, int height, SKEncodedImageFormat format)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(colour);
        using var data = bitmap.Encode(format, 95);
        return data.ToArray();
    }

    /// <summary>Ten JPEGs or PNGs for each of red, green and blue, all different, in class-named folders.</summary>
    public static void WriteFolders(string root, int perClass = 10)
    {
        foreach (var (name, colour) in new[] { ("red", Red), ("green", Green), ("blue", Blue) })
            for (var i = 0; i < perClass; i++)
                Write(Path.Combine(root, name, $"{i}.{(i % 2 == 0 ? "jpg" : "png")}"), colour, width: 16 + i);
    }

    /// <summary>Two PNGs in one class whose pixels all differ.</summary>
    public static DataListing WriteGradients(string root)
    {
        for (var n = 0; n < 2; n++)
        {
            using var bitmap = new SKBitmap(new SKImageInfo(16, 16, SKColorType.Rgba8888, SKAlphaType.Unpremul));
            for (var y = 0; y < 16; y++)
                for (var x = 0; x < 16; x++) bitmap.SetPixel(x, y, new SKColor((byte)(60 + x * 8), (byte)(60 + y * 8), (byte)(60 + (x * 5 + y * 3 + n * 20) % 128)));
            using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
            Directory.CreateDirectory(Path.Combine(root, "gradient"));
            File.WriteAllBytes(Path.Combine(root, "gradient", $"{n}.png"), data.ToArray());
        }

        return DataListing.Open(root);
    }

    /// <summary>
    /// Class-named folders of small pictures in colour, with noise and of their own brightness: warm, cold and green light, of which gray
    /// tells nothing.
    /// </summary>
    public static void WriteNoisy(string root, int perClass)
    {
        var random = new Random(3);
        foreach (var (name, tint) in new[] { ("cold", new[] { -30, 0, 79 }), ("green", [-20, 13, -15]), ("warm", [40, -15, -27]) })
        {
            Directory.CreateDirectory(Path.Combine(root, name));
            for (var n = 0; n < perClass; n++)
            {
                using var bitmap = new SKBitmap(new SKImageInfo(20, 16, SKColorType.Rgba8888, SKAlphaType.Opaque));
                var light = random.Next(80, 170);
                for (var i = 0; i < 20 * 16; i++) bitmap.SetPixel(i % 20, i / 20, new SKColor(Channel(0), Channel(1), Channel(2)));
                using var data = bitmap.Encode(n % 2 == 0 ? SKEncodedImageFormat.Jpeg : SKEncodedImageFormat.Png, 95);
                File.WriteAllBytes(Path.Combine(root, name, $"{n}.{(n % 2 == 0 ? "jpg" : "png")}"), data.ToArray());
                byte Channel(int c) => (byte)Math.Clamp(light + tint[c] + random.Next(-40, 41), 0, 255);
            }
        }
    }
}
