namespace Dunlin.Optimizer.Quantization;

/// <summary>One image's activations, channels first or flat, channel by channel.</summary>
internal static class ChannelMeans
{
    public static float[] Of(ReadOnlySpan<float> values, long channelCount)
    {
        var (means, size) = (new float[channelCount], values.Length / (int)channelCount);
        for (var c = 0; c < means.Length; c++)
        {
            var sum = 0.0;
            foreach (var value in values.Slice(c * size, size)) sum += value;
            means[c] = (float)(sum / size);
        }

        return means;
    }

    /// <summary>Takes one number from all values of a channel.</summary>
    public static void Subtract(Span<float> values, ReadOnlySpan<float> offsets)
    {
        var size = values.Length / offsets.Length;
        for (var c = 0; c < offsets.Length; c++)
            foreach (ref var value in values.Slice(c * size, size)) value -= offsets[c];
    }
}
