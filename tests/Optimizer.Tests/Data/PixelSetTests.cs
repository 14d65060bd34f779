using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using SkiaSharp;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class PixelSetTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-pixels").FullName;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(ChannelOrder.Rgb, TensorLayout.Nchw, FitMode.CenterCrop)]
    [InlineData(ChannelOrder.Bgr, TensorLayout.Nhwc, FitMode.Stretch)]
    [InlineData(ChannelOrder.Gray, TensorLayout.Nchw, FitMode.Letterbox)]
    [InlineData(ChannelOrder.Rgb, TensorLayout.Nhwc, FitMode.Letterbox)]
    public void AnImageIsWhatTheDeviceMakesOfItToHalfAStep(ChannelOrder channels, TensorLayout layout, FitMode fit)
    {
        var data = WithNoise();
        var input = Input(channels, layout, fit);
        using var images = PixelSet.Read(data.Samples, Classes(data), input, unreadableShare: 0, Stop);
        using var device = new Preprocessor(input, ImageLimits.Jpeg);
        var (frame, expected, tensor) = (new FrameBuffer(), new float[images.Size], new float[images.Size]);
        for (var i = 0; i < images.Count; i++)
        {
            Assert.Null(data.Samples[i].Read(frame));
            Assert.Equal(FrameStatus.Ok, device.Process(frame, expected));
            images.WriteTensor(i, tensor);
            for (var at = 0; at < tensor.Length; at++) Assert.Equal(expected[at], tensor[at], 0.501 * input.Scale.Max());
            // As a device will make of the golden set.
            device.ProcessModelSized(images.Pixels(i), expected);
            Assert.Equal(expected, tensor);
        }
    }

    [Fact]
    public void UnreadableImagesAreLeftOutByNameUpToTheLimit()
    {
        var damaged = Path.Combine(_folder, "red", "cut.jpg");
        Pictures.WriteFolders(_folder);
        var jpeg = Pictures.Encoded(Pictures.Red, 64, 64, SKEncodedImageFormat.Jpeg);
        File.WriteAllBytes(damaged, jpeg[..(jpeg.Length / 2)]);
        var data = DataListing.Open(_folder);
        using var images = PixelSet.Read(data.Samples, Classes(data), Input(), unreadableShare: 0.1, Stop);

        Assert.Equal("red/cut.jpg", Assert.Single(images.Unreadable).Name);
        Assert.Equal(30, images.Count);
        var readable = data.Samples.Where(s => s.Name != "red/cut.jpg").ToList();
        Assert.Equal(readable.Select(s => s.Name), Enumerable.Range(0, 30).Select(images.Name));
        // Blue, green, red: the largest channel tells whose pixels they are.
        Assert.Equal(readable.Select(s => data.ClassNames.ToList().IndexOf(s.ClassName)), Enumerable.Range(0, 30).Select(images.Label));
        for (var i = 0; i < 30; i++)
        {
            byte[] pixel = images.Pixels(i)[..3].ToArray();
            Assert.Equal(2 - images.Label(i), Array.IndexOf(pixel, pixel.Max()));
        }

        Assert.Contains("--max-unreadable", Assert.Throws<InvalidDataException>(() => PixelSet.Read(data.Samples, Classes(data), Input(), 0.01, Stop)).Message);
    }

    [Fact]
    public void AChoiceKeepsOrderAndSetsWithTheSameContentHaveTheSameKey()
    {
        using var images = Stripes.Pixels(12);
        using var chosen = images.Select([7, 2]);
        Assert.Equal([images.Label(7), images.Label(2)], [chosen.Label(0), chosen.Label(1)]);
        Assert.Equal(images.Pixels(7), chosen.Pixels(0));
        Assert.Equal(5, images.Take(5).Count);
        using var again = Stripes.Pixels(12);
        Assert.Equal(chosen.Key, again.Select([7, 2]).Key);
        Assert.NotEqual(chosen.Key, again.Select([2, 7]).Key);
        Assert.NotEqual(chosen.Key, chosen.As(Stripes.Input with { Mean = [1] }).Key);
        using var other = Stripes.Pixels(12, seed: 8);
        Assert.NotEqual(images.Key, other.Key);
    }

    [Fact]
    public void AFewImagesAreOfAllClassesWhereClassStandsBehindClass()
    {
        Pictures.WriteFolders(_folder);
        var data = DataListing.Open(_folder);
        using var images = PixelSet.Read(data.Samples, Classes(data), Input(), unreadableShare: 0, Stop);
        using var few = images.Take(6);
        Assert.Equal([0, 0, 1, 1, 2, 2], Enumerable.Range(0, few.Count).Select(few.Label));
        Assert.Equal(images.Key, images.Take(31).Key);
    }

    [Fact]
    public void TheFileHasNoNameFromTheStartAndNoImagesAreAnError()
    {
        using var file = new PixelFile(4096, _folder);
        file.At(4000, 96).Fill(7);
        Assert.Equal(7, file.At(4095, 1)[0]);
        Assert.Equal(0, file.At(3999, 1)[0]);
        Assert.Throws<ArgumentOutOfRangeException>(() => file.At(4000, 97));
        Assert.Empty(Directory.EnumerateFiles(_folder));
        Assert.ThrowsAny<IOException>(() => new PixelFile(1L << 50, _folder));
        Assert.Empty(Directory.EnumerateFiles(_folder));
        Assert.Contains("no images", Assert.Throws<InvalidDataException>(() => PixelSet.Read([], Stripes.Classes, Input(), 0, Stop)).Message);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static InputSpec Input(ChannelOrder channels = ChannelOrder.Rgb, TensorLayout layout = TensorLayout.Nchw, FitMode fit = FitMode.CenterCrop) => new()
    {
        Tensor = "image",
        Layout = layout,
        Channels = channels,
        Width = 12,
        Height = 9,
        ElementType = ElementType.Float32,
        Fit = fit,
        CropFraction = fit == FitMode.CenterCrop ? 0.875 : null,
        Interpolation = Interpolation.Area,
        Mean = channels == ChannelOrder.Gray ? [110] : [123, 116, 103],
        Scale = channels == ChannelOrder.Gray ? [0.01f] : [0.02f, 0.018f, 0.017f],
    };

    private static ClassMap Classes(DataListing data) => ClassMap.Of(data, labels: null, data.ClassNames.Count);

    private DataListing WithNoise()
    {
        var random = new Random(4);
        foreach (var name in new[] { "a/0.png", "a/1.jpg" })
        {
            using var bitmap = new SKBitmap(new SKImageInfo(50, 31, SKColorType.Rgba8888, SKAlphaType.Opaque));
            for (var i = 0; i < 50 * 31; i++) bitmap.SetPixel(i % 50, i / 50, new SKColor((byte)random.Next(256), (byte)random.Next(256), (byte)random.Next(256)));
            using var data = bitmap.Encode(name.EndsWith("png", StringComparison.Ordinal) ? SKEncodedImageFormat.Png : SKEncodedImageFormat.Jpeg, 90);
            Directory.CreateDirectory(Path.Combine(_folder, "a"));
            File.WriteAllBytes(Path.Combine(_folder, name), data.ToArray());
        }

        return DataListing.Open(_folder);
    }
}
