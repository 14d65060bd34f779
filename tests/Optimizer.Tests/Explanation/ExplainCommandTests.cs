using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using SkiaSharp;

namespace Dunlin.Optimizer.Tests.Explanation;

public sealed class ExplainCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-explain").FullName;

    public ExplainCommandTests() => ModelFile.Save(PooledNet.Make(), At("net.onnx"));

    [Fact]
    public async Task TheHeatLiesWhereTheImageIsBrightWithinWhatTheModelSaw()
    {
        // 8 × 4: of a centre crop the model sees columns 2 to 5, of which the left half is bright.
        WriteGray("wide.png", 8, 4, (x, _) => x is 2 or 3 ? 255 : 0);
        var (code, output, error) = await CommandRun.Of("explain", At("wide.png"), "--variant", At("net.onnx"), "--class", "0", "--out", At("heat.png"), "--mean", "0", "--std", "255");
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("class activation mapping (Zhou et al. 2016), 4×4 cells", output);
        Assert.Contains("class 0 (0), probability", output);
        using var heat = SKBitmap.Decode(At("heat.png"));
        Assert.Equal((320, 160), (heat.Width, heat.Height));
        var (hot, cold) = (heat.GetPixel(85, 80), heat.GetPixel(235, 80));
        Assert.True(hot.Red > hot.Blue + 60, $"{hot}");
        Assert.True(Math.Abs(cold.Red - cold.Blue) < 20, $"{cold}");
    }

    [Fact]
    public async Task ClassesGoByTheNamesBesideTheModelAndImagesByTheirNamesInTheData()
    {
        WriteGray("data/bright/0.png", 4, 4, (_, _) => 200);
        WriteGray("data/dark/0.png", 4, 4, (_, _) => 20);
        WriteGray("data/neither/0.png", 4, 4, (_, _) => 100);
        var (code, output, error) = await CommandRun.Of("explain", "dark/0.png", "--data", At("data"), "--variant", At("net.onnx"), "--out", At("heat.png"));
        Assert.Equal((0, ""), (code, error));
        Assert.Contains("class 1 (dark)", output);
        Assert.Contains("the model answers 1 (dark)", output);
    }

    [Theory]
    [InlineData("explain {0}/none.png --variant {0}/net.onnx --data {0}/data", "neither as a file nor in")]
    [InlineData("explain {0}/text.png --variant {0}/net.onnx --out {0}/h.png", "cannot be read: neither JPEG nor PNG")]
    [InlineData("explain {0}/cut.jpg --variant {0}/net.onnx --out {0}/h.png", "cannot be read: damaged JPEG")]
    [InlineData("explain {0}/one.png --variant {0}/none.onnx", "There is no model")]
    [InlineData("explain {0}/one.png --variant {0}/net.onnx --class 3", "from 0 to 2")]
    [InlineData("explain {0}/one.png --variant {0}/net.onnx --class cat", "--class is 'cat'")]
    [InlineData("explain {0}/one.png --variant {0}/net.onnx --labels {0}/text.png", "There are 1 labels, but the model has 3 outputs")]
    public async Task AWrongValueIsNamedWithItsRule(string line, string expected)
    {
        WriteGray("one.png", 4, 4, (_, _) => 9);
        WriteGray("data/one/0.png", 4, 4, (_, _) => 9);
        await File.WriteAllBytesAsync(At("cut.jpg"), Pictures.Encoded(Pictures.Red, 64, 64, SKEncodedImageFormat.Jpeg)[..^80], TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(At("text.png"), "text", TestContext.Current.CancellationToken);
        var (code, _, error) = await CommandRun.Of(string.Format(null, line, _folder).Split(' '));
        Assert.Equal(1, code);
        Assert.Contains(expected, error);
        Assert.False(File.Exists(At("h.png")));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private void WriteGray(string name, int width, int height, Func<int, int, int> level)
    {
        using var bitmap = new SKBitmap(new SKImageInfo(width, height, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, new SKColor((byte)level(x, y), (byte)level(x, y), (byte)level(x, y)));
        using var data = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllBytes(At(name), data.ToArray());
    }
}
