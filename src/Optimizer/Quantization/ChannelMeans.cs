namespace Dunlin.Optimizer.Quantization;

/// <summary>One image's activations, channel by channel: channels are the second axis, also of a linear layer's many rows.</summary>
internal static class ChannelMeans
{
    public static float[] Of(ReadOnlySpan<float> values, ReadOnlySpan<long> shape)
    {
        var (sums, size) = (new double[shape[1]], Inner(shape));
        for (var i = 0; i < values.Length / size; i++)
            foreach (var value in values.Slice(i * size, size)) sums[i % sums.Length] += value;
        var count = values.Length / sums.Length;
        return [.. sums.Select(sum => (float)(sum / count))];
    }

    /// <summary>Takes one number from all values of a channel.</summary>
    public static void Subtract(Span<float> values, ReadOnlySpan<long> shape, ReadOnlySpan<float> offsets)
    {
        var size = Inner(shape);
        for (var i = 0; i < values.Length / size; i++)
            foreach (ref var value in values.Slice(i * size, size)) value -= offsets[i % offsets.Length];
    }

    // How many values of a channel stand together.
    private static int Inner(ReadOnlySpan<long> shape)
    {
        var size = 1L;
        foreach (var length in shape[2..]) size *= length;
        return (int)size;
    }
}
