using CsCheck;
using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Tests.Frames;

namespace Dunlin.Runtime.Tests.Preprocessing;

public sealed class PreprocessorTests
{
    private static readonly Gen<RegionOfInterest?> Regions = Gen.OneOf(
        Gen.Const((RegionOfInterest?)null),
        Gen.Const((RegionOfInterest?)new RegionOfInterest { X = 0.75, Y = 0.75, Width = 0.25, Height = 0.25 }),
        Gen.Select(Gen.Double[0, 0.9], Gen.Double[0, 0.9], Gen.Double[0.01, 1], Gen.Double[0.01, 1], (x, y, w, h) =>
            (RegionOfInterest?)new RegionOfInterest { X = x, Y = y, Width = Math.Min(w, 1 - x), Height = Math.Min(h, 1 - y) }));

    private static readonly Gen<InputSpec> Specs =
        from width in Gen.Int[1, 70]
        from height in Gen.Int[1, 40]
        from layout in Gen.Enum<TensorLayout>()
        from channels in Gen.Enum<ChannelOrder>()
        from fit in Gen.Enum<FitMode>()
        from crop in Gen.Double[0.2, 1]
        from interpolation in Gen.Enum<Interpolation>()
        from region in Regions
        from mean in Gen.Float[0, 200].Array[3]
        from scale in Gen.Float[-0.1f, 2].Array[3]
        let count = channels == ChannelOrder.Gray ? 1 : 3
        select Inputs.Plain(width, height) with
        {
            Layout = layout,
            Channels = channels,
            Fit = fit,
            CropFraction = crop,
            Interpolation = interpolation,
            RegionOfInterest = region,
            Mean = mean[..count],
            Scale = scale[..count],
        };

    [Fact]
    public void YuyvFramesOfAnySizeBecomeTheReferencesTensor()
    {
        var cases = from spec in Specs
                    from halfWidth in Gen.Int[1, 150]
                    from height in Gen.Int[1, 90]
                    from bytes in Gen.Byte.Array[halfWidth * 4 * height]
                    select (spec, width: 2 * halfWidth, height, bytes);
        cases.Sample(
            c => Compare(c.spec, PixelFormat.Yuyv, c.width, c.height, c.bytes, ReferencePreprocessing.FromYuyv(c.bytes, c.width, c.height)),
            iter: 150, threads: 1, print: c => $"{c.spec} {c.width}x{c.height}");
    }

    [Fact]
    public void RgbFramesOfAnySizeBecomeTheReferencesTensor()
    {
        var cases = from spec in Specs
                    from width in Gen.Int[1, 200]
                    from height in Gen.Int[1, 90]
                    from bytes in Gen.Byte.Array[width * 3 * height]
                    select (spec, width, height, bytes);
        cases.Sample(
            c => Compare(c.spec, PixelFormat.Rgb24, c.width, c.height, c.bytes, ReferencePreprocessing.FromRgb(c.bytes, c.width, c.height)),
            iter: 150, threads: 1, print: c => $"{c.spec} {c.width}x{c.height}");
    }

    [Theory]
    [InlineData(TestJpeg.Sampling444, 96, 64)]
    [InlineData(TestJpeg.Sampling422, 97, 63)]
    [InlineData(TestJpeg.Sampling420, 97, 63)]
    [InlineData(TestJpeg.Sampling440, 97, 63)]
    [InlineData(TestJpeg.Sampling411, 97, 63)]
    [InlineData(TestJpeg.Sampling411, 301, 211)]
    [InlineData(TestJpeg.Sampling420, 1, 1)]
    [InlineData(TestJpeg.Sampling420, 300, 211)]
    public void AJpegLooksLikeThePixelsThatWereEncoded(int sampling, int width, int height)
    {
        var spec = Inputs.Plain(Math.Min(width, 48), Math.Min(height, 40)) with { Interpolation = Interpolation.Area };
        var rgb = Smooth(width, height);
        using var preprocessor = new Preprocessor(spec);
        var tensor = new float[preprocessor.TensorLength];
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(TestJpeg.Frame(TestJpeg.Encode(rgb, width, height, sampling, 98)), tensor));
        var expected = new ReferencePreprocessing(spec).Tensor(ReferencePreprocessing.FromRgb(rgb, width, height), false, width, height);
        for (var i = 0; i < tensor.Length; i++) Assert.InRange(tensor[i], expected[i] - 6, expected[i] + 6);
    }

    [Theory]
    [InlineData(ChannelOrder.Rgb, 235, 128, 128, 255, 255, 255)]
    [InlineData(ChannelOrder.Rgb, 16, 128, 128, 0, 0, 0)]
    [InlineData(ChannelOrder.Rgb, 81, 90, 240, 254, 0, 0)]
    [InlineData(ChannelOrder.Rgb, 145, 54, 34, 0, 255, 1)]
    [InlineData(ChannelOrder.Bgr, 41, 240, 110, 255, 0, 0)]
    public void KnownColoursOfYuyvComeOutInTheModelsOrder(ChannelOrder order, byte y, byte u, byte v, byte a, byte b, byte c)
    {
        var spec = Inputs.Plain(4, 4) with { Channels = order, Layout = TensorLayout.Nhwc, ElementType = ElementType.UInt8 };
        var pixels = Enumerable.Repeat(new[] { y, u, y, v }, 32).SelectMany(bytes => bytes).ToArray();
        using var preprocessor = new Preprocessor(spec);
        var tensor = new byte[preprocessor.TensorLength];
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(TestJpeg.Frame(PixelFormat.Yuyv, 8, 8, pixels), tensor));
        for (var i = 0; i < tensor.Length; i++) Assert.InRange(tensor[i], new[] { a, b, c }[i % 3] - 1, new[] { a, b, c }[i % 3] + 1);
    }

    [Fact]
    public void TheBytesOfALetterboxOutsideTheFrameAreTheMean()
    {
        var spec = Inputs.Plain(20, 20) with { Fit = FitMode.Letterbox, Mean = [10, 20, 30] };
        using var preprocessor = new Preprocessor(spec);
        var tensor = Enumerable.Repeat(99f, preprocessor.TensorLength).ToArray();
        var white = Enumerable.Repeat((byte)255, 40 * 20 * 3).ToArray();
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(TestJpeg.Frame(PixelFormat.Rgb24, 40, 20, white), tensor));
        Assert.All(tensor[..100], value => Assert.Equal(0, value));
        Assert.All(tensor[100..300], value => Assert.Equal(245, value, 0.001));
        Assert.All(tensor[300..400], value => Assert.Equal(0, value));
    }

    [Theory]
    [InlineData(TensorLayout.Nchw)]
    [InlineData(TensorLayout.Nhwc)]
    public void AnImageOfTheModelsSizeIsOnlyNormalized(TensorLayout layout)
    {
        var spec = Inputs.Plain(5, 3) with { Layout = layout, Mean = [1, 2, 3], Scale = [0.5f, 2, 3] };
        using var preprocessor = new Preprocessor(spec);
        var image = Enumerable.Range(0, 45).Select(i => (byte)(i * 5)).ToArray();
        var tensor = new float[45];
        preprocessor.ProcessModelSized(image, tensor);
        var expected = new float[45];
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(TestJpeg.Frame(PixelFormat.Rgb24, 5, 3, image), expected));
        for (var i = 0; i < 45; i++) Assert.Equal(expected[i], tensor[i], 0.001);
    }

    [Theory]
    [InlineData(PixelFormat.Jpeg)]
    [InlineData(PixelFormat.Yuyv)]
    public void ASteadyStreamOfFramesAllocatesNothing(PixelFormat format)
    {
        using var preprocessor = new Preprocessor(Inputs.MobileNet);
        var tensor = new float[preprocessor.TensorLength];
        var frame = format == PixelFormat.Jpeg
            ? TestJpeg.Frame(TestJpeg.Encode(640, 480))
            : TestJpeg.Frame(PixelFormat.Yuyv, 640, 480, new byte[640 * 480 * 2]);
        for (var i = 0; i < 20; i++) preprocessor.Process(frame, tensor);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 50; i++) preprocessor.Process(frame, tensor);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void Compare(
        InputSpec spec, PixelFormat format, int width, int height, byte[] bytes, ReferencePreprocessing.Plane[] planes)
    {
        var expected = new ReferencePreprocessing(spec).Tensor(planes, format == PixelFormat.Yuyv, width, height);
        using var preprocessor = new Preprocessor(spec);
        var tensor = Enumerable.Repeat(float.NaN, preprocessor.TensorLength).ToArray();
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(TestJpeg.Frame(format, width, height, bytes), tensor));
        // Weights have 14 bits or more, and colour conversion adds up the planes' errors.
        var tolerance = 0.025 * Math.Max(1, spec.Scale.Max());
        for (var i = 0; i < tensor.Length; i++)
            Assert.True(Math.Abs(expected[i] - tensor[i]) < tolerance, $"Element {i}: expected {expected[i]}, got {tensor[i]}.");
        var asBytes = new byte[tensor.Length];
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(TestJpeg.Frame(format, width, height, bytes), asBytes));
        for (var i = 0; i < tensor.Length; i++)
            Assert.InRange(asBytes[i], Math.Clamp(expected[i], 0, 255) - 0.5 - tolerance, Math.Clamp(expected[i], 0, 255) + 0.5 + tolerance);
    }

    private static byte[] Smooth(int width, int height)
    {
        var rgb = new byte[width * height * 3];
        for (var i = 0; i < width * height; i++)
        {
            rgb[3 * i] = (byte)(40 + 160 * (i % width) / width);
            rgb[3 * i + 1] = (byte)(200 - 150 * (i / width) / height);
            rgb[3 * i + 2] = (byte)(60 + 50 * (i % width) / width + 50 * (i / width) / height);
        }

        return rgb;
    }
}
