using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;

namespace Dunlin.Optimizer.Data;

/// <summary>Images of any kind and size as bytes of a model's size, by the device's own preprocessing. For one thread.</summary>
internal sealed class ModelSizeReader : IDisposable
{
    private readonly Preprocessor _preprocessor;
    private readonly FrameBuffer _frame = new();
    private readonly IReadOnlyList<float> _mean;
    private readonly float[] _pixels;

    public ModelSizeReader(InputSpec input)
    {
        // The mean is taken away and given back, since it is also what a letterbox is filled with.
        _mean = input.Mean;
        _preprocessor = new Preprocessor(
            input with { Layout = TensorLayout.Nhwc, ElementType = ElementType.Float32, Scale = [.. Enumerable.Repeat(1f, input.ChannelCount)] }, ImageLimits.Jpeg);
        _pixels = new float[_preprocessor.TensorLength];
    }

    /// <param name="sample">The image.</param>
    /// <param name="target">Height × width × channels in the model's order; undefined if the image cannot be read.</param>
    /// <returns>Why it cannot be read; null if it could.</returns>
    public string? Read(ImageSample sample, Span<byte> target)
    {
        if (sample.Read(_frame) is { } why) return why;
        var status = _preprocessor.Process(_frame, _pixels);
        if (status != FrameStatus.Ok) return ImageSample.Words(status);
        for (var i = 0; i < _pixels.Length; i++) target[i] = (byte)(Math.Clamp(_pixels[i] + _mean[i % _mean.Count], 0, 255) + 0.5f);
        return null;
    }

    public void Dispose() => _preprocessor.Dispose();
}
