namespace Dunlin.Optimizer.Quantization;

/// <summary>Weights as signed bytes, symmetric, with one scale per output channel.</summary>
internal sealed record ChannelWeights(sbyte[] Values, float[] Scales)
{
    /// <summary>Half of what the accumulator holds, so that a correction of the bias still fits.</summary>
    public const double LargestBias = int.MaxValue / 2.0;

    /// <summary>Below it a product with the scale of activations could be 0.</summary>
    public const float SmallestScale = 1e-30f;

    /// <param name="weights">As in the tensor.</param>
    /// <param name="shape">Of the tensor.</param>
    /// <param name="axis">Of the output channels.</param>
    /// <param name="largest">Weights are −this…this steps.</param>
    /// <param name="bias">Of each channel, or empty. Where a channel has nearly no weights but a bias, its scale grows until the bias fits into 32 bits.</param>
    /// <param name="inputScale">Of the activations that the weights meet.</param>
    public static ChannelWeights Of(ReadOnlySpan<float> weights, ReadOnlySpan<long> shape, int axis, int largest, ReadOnlySpan<float> bias = default, float inputScale = 1)
    {
        var inner = 1L;
        foreach (var size in shape[(axis + 1)..]) inner *= size;
        var scales = new float[shape[axis]];
        for (var i = 0; i < weights.Length; i++)
        {
            ref var extreme = ref scales[i / inner % scales.Length];
            extreme = Math.Max(extreme, Math.Abs(weights[i]));
        }

        for (var c = 0; c < scales.Length; c++)
        {
            scales[c] /= largest;
            if (!bias.IsEmpty) scales[c] = Math.Max(scales[c], (float)(Math.Abs(bias[c]) / (inputScale * LargestBias)));
            // A dead channel without a bias has only zeros; any scale is right for it.
            if (scales[c] < SmallestScale) scales[c] = 1;
        }

        var values = new sbyte[weights.Length];
        for (var i = 0; i < values.Length; i++)
            values[i] = (sbyte)Math.Clamp(MathF.Round(weights[i] / scales[i / inner % scales.Length]), -largest, largest);
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
