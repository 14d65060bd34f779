using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Racing;

/// <summary>Brings images that have the model's size already into its tensor: <c>(pixel − mean) · scale</c> and the layout.</summary>
internal sealed class GoldenImages(InputSpec spec)
{
    private readonly float[] _mean = [.. spec.Mean];
    private readonly float[] _scale = [.. spec.Scale];

    public void Fill(ReadOnlySpan<byte> nhwc, ModelInput input)
    {
        var channels = spec.ChannelCount;
        var pixels = spec.Width * spec.Height;
        for (var pixel = 0; pixel < pixels; pixel++)
        {
            for (var channel = 0; channel < channels; channel++)
            {
                var value = (nhwc[pixel * channels + channel] - _mean[channel]) * _scale[channel];
                var index = spec.Layout == TensorLayout.Nchw ? channel * pixels + pixel : pixel * channels + channel;
                if (spec.ElementType == ElementType.Float32) input.Floats[index] = value;
                else input.Bytes[index] = (byte)Math.Clamp(MathF.Round(value), 0, 255);
            }
        }
    }
}
