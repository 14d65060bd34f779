namespace Dunlin.Optimizer.Quantization;

/// <summary>Weights as signed bytes, symmetric, with one scale per output channel.</summary>
internal sealed record ChannelWeights(sbyte[] Values, float[] Scales)
{
    private const int Largest = 127;

    /// <param name="weights">Output channels first.</param>
    /// <param name="channelCount">Length of the first dimension.</param>
    public static ChannelWeights Of(ReadOnlySpan<float> weights, int channelCount)
    {
        var values = new sbyte[weights.Length];
        var scales = new float[channelCount];
        var size = weights.Length / channelCount;
        for (var c = 0; c < channelCount; c++)
        {
            var channel = weights.Slice(c * size, size);
            var largest = 0f;
            foreach (var weight in channel) largest = Math.Max(largest, Math.Abs(weight));
            // A dead channel has only zeros; any scale is right for it.
            var scale = scales[c] = largest > float.Epsilon * 1024 ? largest / Largest : 1;
            for (var i = 0; i < size; i++)
                values[c * size + i] = (sbyte)Math.Clamp(MathF.Round(channel[i] / scale), -Largest, Largest);
        }

        return new ChannelWeights(values, scales);
    }

    /// <summary>A bias on the grid of the accumulator: input scale × weight scale, per channel.</summary>
    public int[] Bias(ReadOnlySpan<float> bias, float inputScale)
    {
        var values = new int[bias.Length];
        for (var c = 0; c < values.Length; c++)
        {
            var steps = Math.Round((double)bias[c] / ((double)inputScale * Scales[c]));
            values[c] = (int)Math.Clamp(steps, int.MinValue, int.MaxValue);
        }

        return values;
    }

    /// <summary>The scales of <see cref="Bias"/>.</summary>
    public float[] BiasScales(float inputScale) => [.. Scales.Select(s => s * inputScale)];
}
