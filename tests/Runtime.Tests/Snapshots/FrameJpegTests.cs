using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Snapshots;
using Dunlin.Runtime.Tests.Frames;
using Dunlin.Runtime.Tests.Preprocessing;

namespace Dunlin.Runtime.Tests.Snapshots;

public sealed class FrameJpegTests
{
    private const int Enough = 90 * 1024;

    // Large images, so that a JPEG has to be made anew: one in half of its size, and one as it is, of sides that no chroma pixel divides.
    public static MatrixTheoryData<string, (int Width, int Height)> Frames =>
        new(["yuyv", "rgb", "4:4:4", "4:2:2", "4:2:0", "4:4:0", "4:1:1", "gray"], [(1600, 1200), (1279, 957)]);

    /// <summary>What a model sees of the snapshot is what it sees of the frame: same place, same colours, same range.</summary>
    [Theory]
    [MemberData(nameof(Frames))]
    public void ASnapshotLooksLikeItsFrame(string kind, (int Width, int Height) size)
    {
        // Cameras give YUYV in pairs of pixels only.
        var (width, height) = (kind == "yuyv" ? size.Width & ~1 : size.Width, size.Height);
        var frame = Frame(kind, width, height);
        Assert.True(frame.Length > Enough, $"{frame.Length} bytes would have been sent as they are.");
        Assert.Equal((width, height), FrameJpeg.SizeOf(frame));
        var snapshot = FrameJpeg.Encode(frame, Enough)!;
        Assert.InRange(snapshot.Length, 1000, Enough);
        var (seen, expected) = (Pixels(TestJpeg.Frame(snapshot)), Pixels(frame));
        var difference = seen.Zip(expected, (a, b) => Math.Abs(a - b)).Average();
        Assert.InRange(difference, 0, 3);
    }

    [Fact]
    public void AJpegThatFitsStaysAsItIs()
    {
        var jpeg = TestJpeg.Encode(320, 240);
        Assert.Equal(jpeg, FrameJpeg.Encode(TestJpeg.Frame(jpeg), Enough));
    }

    [Fact]
    public void WhatCannotBeReadOrMadeSmallEnoughIsNoSnapshot()
    {
        var noise = new byte[640 * 480 * 3];
        new Random(1).NextBytes(noise);
        Assert.Null(FrameJpeg.Encode(Rgb(noise, 640, 480), 4096));
        var jpeg = TestJpeg.Encode(noise, 640, 480, TestJpeg.Sampling444, quality: 95);
        Assert.Null(FrameJpeg.Encode(TestJpeg.Frame(jpeg.AsSpan(0, jpeg.Length / 2)), Enough));
    }

    private static float[] Pixels(FrameBuffer frame)
    {
        using var preprocessor = new Preprocessor(Inputs.Plain(64, 48));
        var tensor = new float[preprocessor.TensorLength];
        Assert.Equal(FrameStatus.Ok, preprocessor.Process(frame, tensor));
        return tensor;
    }

    private static FrameBuffer Frame(string kind, int width, int height) => kind switch
    {
        "yuyv" => Yuyv(width, height),
        "rgb" => Rgb(Smooth(width, height), width, height),
        "4:4:4" => Jpeg(TestJpeg.Sampling444, width, height),
        "4:2:2" => Jpeg(TestJpeg.Sampling422, width, height),
        "4:2:0" => Jpeg(TestJpeg.Sampling420, width, height),
        "4:4:0" => Jpeg(TestJpeg.Sampling440, width, height),
        "4:1:1" => Jpeg(TestJpeg.Sampling411, width, height),
        _ => Jpeg(TestJpeg.SamplingGray, width, height),
    };

    private static FrameBuffer Jpeg(int sampling, int width, int height) => TestJpeg.Frame(TestJpeg.Encode(Smooth(width, height), width, height, sampling, quality: 98));

    // No structure that is finer than the pixels of the model's input: what it sees does not depend on how a frame is made smaller. Noise makes it large.
    private static byte[] Smooth(int width, int height)
    {
        var (rgb, noise) = (new byte[width * height * 3], new Random(7));
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
                for (var channel = 0; channel < 3; channel++)
                    rgb[(y * width + x) * 3 + channel] = (byte)(128 + 90 * Math.Sin(x * 0.004 * (channel + 1) + y * 0.003 * (3 - channel)) + noise.Next(-3, 4));
        return rgb;
    }

    private static FrameBuffer Rgb(byte[] pixels, int width, int height)
    {
        var frame = new FrameBuffer { Format = PixelFormat.Rgb24, Width = width, Height = height, Stride = 3 * width };
        pixels.CopyTo(frame.Resize(pixels.Length));
        return frame;
    }

    // Rows are longer than their pixels, as drivers make them.
    private static FrameBuffer Yuyv(int width, int height)
    {
        var stride = 2 * width + 64;
        var frame = new FrameBuffer { Format = PixelFormat.Yuyv, Width = width, Height = height, Stride = stride };
        var bytes = frame.Resize(stride * height);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                bytes[y * stride + 2 * x] = (byte)(126 + 100 * Math.Sin(x * 0.02 + y * 0.01));
                bytes[y * stride + 2 * x + 1] = (byte)(128 + 60 * Math.Sin((x & ~1) * 0.013) * (x % 2 == 0 ? 1 : -1));
            }

        return frame;
    }
}
