namespace Dunlin.Optimizer.Quantization;

/// <summary>The smallest and the largest value that calibration saw in one tensor, and the unsigned 8-bit grid over it.</summary>
internal readonly record struct TensorRange(float Low, float High)
{
    public static readonly TensorRange Empty = new(float.PositiveInfinity, float.NegativeInfinity);

    public TensorRange With(ReadOnlySpan<float> values)
    {
        var (low, high) = (Low, High);
        foreach (var value in values)
        {
            if (!float.IsFinite(value)) throw new InvalidDataException($"The model computes {value} on a calibration image; it cannot be quantized.");
            low = Math.Min(low, value);
            high = Math.Max(high, value);
        }

        return new TensorRange(low, high);
    }

    /// <summary>Real value = scale · (q − zero point), q in 0…255; zero itself is exact, as padding needs it.</summary>
    public (float Scale, byte ZeroPoint) ToUInt8()
    {
        var (low, high) = (Math.Min(Low, 0), Math.Max(High, 0));
        var scale = (high - low) / byte.MaxValue;
        if (scale < float.Epsilon * 4 || !float.IsNormal(scale)) return (1, 0);
        return (scale, (byte)Math.Clamp(MathF.Round(-low / scale), 0, byte.MaxValue));
    }
}
