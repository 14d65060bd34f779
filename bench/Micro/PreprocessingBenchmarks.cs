using BenchmarkDotNet.Attributes;
using Dunlin.Bench.Material;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using SkiaSharp;

namespace Dunlin.Bench.Micro;

/// <summary>One 640×480 frame to a 224×224 float tensor; the frame is drawn here, so that no data is needed.</summary>
[MemoryDiagnoser]
public class PreprocessingBenchmarks : IDisposable
{
    private readonly Preprocessor _preprocessor = new(MobileNet.Input);
    private readonly FrameBuffer _jpeg = new() { Format = PixelFormat.Jpeg };
    private readonly FrameBuffer _yuyv = new() { Format = PixelFormat.Yuyv, Width = Photographs.FrameWidth, Height = Photographs.FrameHeight, Stride = Photographs.FrameWidth * 2 };
    private readonly float[] _tensor = new float[3 * 224 * 224];

    [GlobalSetup]
    public void Setup()
    {
        using var surface = SKSurface.Create(new SKImageInfo(Photographs.FrameWidth, Photographs.FrameHeight));
        using var shader = SKShader.CreatePerlinNoiseFractalNoise(0.02f, 0.03f, 4, 7);
        using var paint = new SKPaint { Shader = shader };
        surface.Canvas.DrawPaint(paint);
        using var image = surface.Snapshot();
        using var jpeg = image.Encode(SKEncodedImageFormat.Jpeg, 85);
        jpeg.AsSpan().CopyTo(_jpeg.Resize((int)jpeg.Size));
        new Random(1).NextBytes(_yuyv.Resize(Photographs.FrameWidth * Photographs.FrameHeight * 2));
    }

    [Benchmark]
    public void Jpeg() => Process(_jpeg);

    [Benchmark]
    public void Yuyv() => Process(_yuyv);

    public void Dispose()
    {
        _preprocessor.Dispose();
        GC.SuppressFinalize(this);
    }

    private void Process(FrameBuffer frame)
    {
        if (_preprocessor.Process(frame, _tensor) != FrameStatus.Ok) throw new InvalidOperationException("The frame was refused.");
    }
}
