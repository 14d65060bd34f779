using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// The second half of resampling: the columns of one row that <see cref="VerticalPass"/> made, to pixel values as floats.
/// Each vector holds four taps of two targets, from wherever these begin: no gathers, no shuffles, the same sums on every CPU.
/// </summary>
internal sealed unsafe class HorizontalPass
{
    private const int Lanes = 4;
    private const int Taps = 4;

    private readonly int[] _starts;
    private readonly Vector128<short>[] _weights;
    private readonly int _tapCount;
    private readonly float _scale;

    public HorizontalPass(AxisTable axis)
    {
        _tapCount = (axis.TapCount + Taps - 1) / Taps * Taps;
        // Four taps are one sum of 32 bits, of which a sample takes 16: their weights may be 1 together only at 15 bits.
        var bits = axis.MostBits > 15 ? Math.Max(15, axis.MostBits - 2) : axis.MostBits;
        var weights = axis.RoundNegative(_tapCount, bits);
        _scale = 1f / (1L << (bits + VerticalPass.FractionBits));
        _starts = new int[(axis.TargetLength + Lanes - 1) / Lanes * Lanes];
        for (var i = 0; i < _starts.Length; i++) _starts[i] = axis.Starts[Math.Min(i, axis.TargetLength - 1)];
        _weights = new Vector128<short>[_starts.Length / 2 * (_tapCount / Taps)];
        for (var i = 0; i < axis.TargetLength; i++)
            for (var tap = 0; tap < _tapCount; tap++)
            {
                ref var pair = ref _weights[2 * (i / Lanes * (_tapCount / Taps) + tap / Taps) + i / 2 % 2];
                pair = pair.WithElement(i % 2 * Taps + tap % Taps, weights[i * _tapCount + tap]);
            }
    }

    /// <summary>Elements beyond the end of a row that may be read, but have no influence.</summary>
    public int Padding => _tapCount;

    /// <summary>Floats that <see cref="Apply"/> and those who read its output may touch: the target length, rounded up.</summary>
    public static int OutputLength(int targetLength) => (targetLength + 15) & ~15;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Apply(short* row, float* output)
    {
        fixed (Vector128<short>* allWeights = _weights)
        fixed (int* starts = _starts)
        {
            var weights = allWeights;
            var rowEnd = row + _tapCount;
            var end = starts + _starts.Length;
            var (scale, centre) = (Vector128.Create(_scale), Vector128.Create((float)VerticalPass.Centre));
            for (var start = starts; start < end; start += Lanes, output += Lanes)
            {
                var sum = Vector128<float>.Zero;
                for (var from = row; from < rowEnd; from += Taps, weights += 2)
                {
                    var first = MultiplyAddPairs(Two(from + start[0], from + start[1]), weights[0]);
                    var second = MultiplyAddPairs(Two(from + start[2], from + start[3]), weights[1]);
                    sum += Vector128.ConvertToSingle(AddPairs(first, second));
                }

                Vector128.MultiplyAddEstimate(sum, scale, centre).Store(output);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Two(short* a, short* b)
    {
        if (Sse2.IsSupported) return Sse2.LoadHigh(Sse2.LoadScalarVector128((double*)a), (double*)b).AsInt16();
        if (AdvSimd.IsSupported) return AdvSimd.LoadAndInsertScalar(Vector128.CreateScalarUnsafe(*(long*)a), 1, (long*)b).AsInt16();
        return Vector128.Create(*(long*)a, *(long*)b).AsInt16();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> MultiplyAddPairs(Vector128<short> pixels, Vector128<short> weights)
    {
        if (Sse2.IsSupported) return Sse2.MultiplyAddAdjacent(pixels, weights);
        if (AdvSimd.Arm64.IsSupported)
            return AddPairs(AdvSimd.MultiplyWideningLower(pixels.GetLower(), weights.GetLower()), AdvSimd.MultiplyWideningUpper(pixels, weights));
        return AddPairs(Vector128.WidenLower(pixels) * Vector128.WidenLower(weights), Vector128.WidenUpper(pixels) * Vector128.WidenUpper(weights));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddPairs(Vector128<int> a, Vector128<int> b)
    {
        if (Ssse3.IsSupported) return Ssse3.HorizontalAdd(a, b);
        if (AdvSimd.Arm64.IsSupported) return AdvSimd.Arm64.AddPairwise(a, b);
        return Vector128.Create(a[0] + a[1], a[2] + a[3], b[0] + b[1], b[2] + b[3]);
    }
}
