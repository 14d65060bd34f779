using System.Numerics;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Data;

/// <summary>Pixels of the model's size as the model takes them.</summary>
internal static class ImageTensor
{
    /// <summary>Normalizes and lays out, as the device does.</summary>
    /// <param name="input">The model's.</param>
    /// <param name="pixels">Height × width × channels in the model's order, of 0…255.</param>
    /// <param name="tensor">As many floats.</param>
    public static void Write<T>(InputSpec input, ReadOnlySpan<T> pixels, Span<float> tensor) where T : unmanaged, INumberBase<T>
    {
        var channels = input.ChannelCount;
        var isPlanar = input.Layout == TensorLayout.Nchw;
        for (var channel = 0; channel < channels; channel++)
        {
            var (mean, scale) = (input.Mean[channel], input.Scale[channel]);
            var at = isPlanar ? channel * (pixels.Length / channels) : channel;
            var step = isPlanar ? 1 : channels;
            for (var from = channel; from < pixels.Length; from += channels, at += step) tensor[at] = (float.CreateTruncating(pixels[from]) - mean) * scale;
        }
    }
}
