using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Normalization of images that were brought to the model's size elsewhere; a table of 256 values a channel.</summary>
internal sealed class ModelSizedImages
{
    private readonly int _channels;
    private readonly int _pixels;
    private readonly bool _planar;
    private readonly float[] _floats;
    private readonly byte[] _bytes;

    public ModelSizedImages(InputSpec spec)
    {
        _channels = spec.ChannelCount;
        _pixels = spec.Width * spec.Height;
        _planar = spec.Layout == TensorLayout.Nchw;
        _floats = new float[256 * _channels];
        _bytes = new byte[256 * _channels];
        for (var i = 0; i < _floats.Length; i++)
        {
            var value = (i % 256 - spec.Mean[i / 256]) * spec.Scale[i / 256];
            _floats[i] = value;
            _bytes[i] = (byte)(Math.Clamp(value, 0, 255) + 0.5f);
        }
    }

    public void Process(ReadOnlySpan<byte> nhwc, Span<float> tensor) => Map<float>(nhwc, tensor, _floats);

    public void Process(ReadOnlySpan<byte> nhwc, Span<byte> tensor) => Map<byte>(nhwc, tensor, _bytes);

    private void Map<T>(ReadOnlySpan<byte> nhwc, Span<T> tensor, ReadOnlySpan<T> table)
    {
        for (var channel = 0; channel < _channels; channel++)
        {
            var values = table.Slice(256 * channel, 256);
            var at = _planar ? channel * _pixels : channel;
            var step = _planar ? 1 : _channels;
            for (var from = channel; from < nhwc.Length; from += _channels, at += step) tensor[at] = values[nhwc[from]];
        }
    }
}
