using System.Numerics;

namespace Dunlin.Optimizer.Quantization;

/// <summary>The smallest and the largest value that one tensor is to represent, and the unsigned 8-bit grid over it.</summary>
internal readonly record struct TensorRange(float Low, float High)
{
    public static readonly TensorRange Empty = new(float.PositiveInfinity, float.NegativeInfinity);

    public TensorRange With(ReadOnlySpan<float> values)
    {
        var (low, high) = (Low, High);
        var (lows, highs, wrong) = (new Vector<float>(low), new Vector<float>(high), Vector<float>.Zero);
        var i = 0;
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var v = new Vector<float>(values[i..]);
            (lows, highs) = (Vector.Min(lows, v), Vector.Max(highs, v));
            // Zero for every finite number, and nothing else.
            wrong += v - v;
        }

        for (; i < values.Length; i++)
        {
            (low, high) = (Math.Min(low, values[i]), Math.Max(high, values[i]));
            wrong += new Vector<float>(values[i] - values[i]);
        }

        if (!Vector.EqualsAll(wrong, Vector<float>.Zero)) throw new InvalidDataException("The model computes what is no finite number on a calibration image; it cannot be quantized.");
        for (var lane = 0; lane < Vector<float>.Count; lane++) (low, high) = (Math.Min(low, lows[lane]), Math.Max(high, highs[lane]));
        return new TensorRange(low, high);
    }

    /// <summary>From the smaller of both lows to the larger of both highs.</summary>
    public TensorRange With(TensorRange other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));

    /// <summary>What both have.</summary>
    public TensorRange Within(TensorRange other) => new(Math.Max(Low, other.Low), Math.Min(High, other.High));

    /// <summary>Real value = scale · (q − zero point), q in 0…255; zero itself is exact, as padding needs it.</summary>
    public (float Scale, byte ZeroPoint) ToUInt8()
    {
        var (low, high) = (Math.Min(Low, 0), Math.Max(High, 0));
        var scale = (high - low) / byte.MaxValue;
        if (scale < float.Epsilon * 4 || !float.IsNormal(scale)) return (1, 0);
        // ONNX Runtime drops a Clip before the grid only if the grid does not reach beyond it, not even by a rounding.
        while (low == 0 && scale * byte.MaxValue > high) scale = MathF.BitDecrement(scale);
        return (scale, (byte)Math.Clamp(MathF.Round(-low / scale), 0, byte.MaxValue));
    }
}
