using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// Applies an <see cref="AxisTable"/> along a row of bytes. Each block of lanes takes two taps at a time from one window of
/// the row by a byte shuffle and multiplies them as 16-bit integers: no gathers, no scalar loads, the same sums on every CPU.
/// Blocks go in pairs, whose sums do not wait for each other.
/// The largest weight has 14 or 15 bits and the sum of all stays 1, so that a pixel is at most some 0.01 of 255 off and even
/// areas stay as they are.
/// Rows must be followed by <see cref="Padding"/> readable bytes.
/// </summary>
internal sealed unsafe class RowResampler
{
    /// <summary>Bytes that may be read, but are never used, beyond the end of a row.</summary>
    public const int Padding = 64;

    private const int Lanes = 4;
    private const int Window = 16;

    private readonly AxisTable _axis;
    private readonly int _one;
    private readonly int _pairCount;
    private readonly int _blockCount;
    private readonly Taps[] _taps;

    public RowResampler(AxisTable axis, int sourceLength)
    {
        _axis = axis;
        if (!Fits(axis, sourceLength))
        {
            _taps = [];
            return;
        }

        _one = 1 << Math.Min(22, (int)Math.Floor(Math.Log2(short.MaxValue / axis.Weights.Max())));
        _pairCount = (axis.TapCount + 1) / 2;
        _blockCount = (axis.TargetLength + 2 * Lanes - 1) / (2 * Lanes) * 2;
        _taps = new Taps[_blockCount * _pairCount];
        Fill(sourceLength);
    }

    /// <summary>Floats that <see cref="Apply"/> writes: the target length, rounded up.</summary>
    public static int OutputLength(int targetLength) => (targetLength + 15) & ~15;

    public void Apply(byte* row, float* output)
    {
        if (_blockCount > 0) ApplyVector(row, output);
        else ApplyScalar(row, output);
    }

    private static bool Fits(AxisTable axis, int sourceLength)
    {
        for (var first = 0; first < axis.TargetLength; first += Lanes)
        {
            var last = Math.Min(first + Lanes, axis.TargetLength) - 1;
            for (var k = 0; k < axis.TapCount; k += 2)
                if (Source(axis, sourceLength, last, k + 1) - Source(axis, sourceLength, first, k) >= Window) return false;
        }

        return true;
    }

    private static int Source(AxisTable axis, int sourceLength, int target, int tap) =>
        Math.Min(axis.Starts[target] + tap, sourceLength - 1);

    /// <summary>Where the two taps of a lane lie among 16-bit elements: as the CPU's multiplication adds them.</summary>
    private static int Place(int lane, int tap) => Sse2.IsSupported ? 2 * lane + tap : tap * Lanes + lane;

    private void Fill(int sourceLength)
    {
        Array.Fill(_taps, new Taps { Indices = Vector128<byte>.AllBitsSet });
        var weights = new short[_axis.TapCount];
        for (var i = 0; i < _blockCount * Lanes; i++)
        {
            var target = Math.Min(i, _axis.TargetLength - 1);
            Round(_axis.Weights.AsSpan(target * _axis.TapCount, _axis.TapCount), weights);
            for (var k = 0; k < _axis.TapCount; k++)
            {
                ref var taps = ref _taps[2 * (i / (2 * Lanes) * _pairCount + k / 2) + i / Lanes % 2];
                var source = Source(_axis, sourceLength, target, k);
                var place = Place(i % Lanes, k % 2);
                if (i % Lanes == 0 && k % 2 == 0) taps.Window = source;
                taps.Indices = taps.Indices.WithElement(2 * place, (byte)(source - taps.Window));
                if (i == target) taps.Weights = taps.Weights.WithElement(place, weights[k]);
            }
        }
    }

    /// <summary>What rounding loses or adds goes to the largest weight.</summary>
    private void Round(ReadOnlySpan<float> weights, short[] rounded)
    {
        var (sum, largest) = (0, 0);
        for (var k = 0; k < weights.Length; k++)
        {
            rounded[k] = (short)MathF.Round(weights[k] * _one);
            sum += rounded[k];
            if (weights[k] > weights[largest]) largest = k;
        }

        rounded[largest] += (short)(_one - sum);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ApplyVector(byte* row, float* output)
    {
        fixed (Taps* start = _taps)
        {
            var taps = start;
            var (pairCount, scale) = (_pairCount, 1f / _one);
            for (var end = output + _blockCount * Lanes; output < end; output += 2 * Lanes)
            {
                var (first, second) = (Vector128<int>.Zero, Vector128<int>.Zero);
                for (var pair = 0; pair < pairCount; pair++, taps += 2)
                {
                    first = MultiplyAddPairs(first, Pick(row, taps), taps->Weights);
                    second = MultiplyAddPairs(second, Pick(row, taps + 1), taps[1].Weights);
                }

                (Vector128.ConvertToSingle(first) * scale).Store(output);
                (Vector128.ConvertToSingle(second) * scale).Store(output + Lanes);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Pick(byte* row, Taps* taps) => Vector128.ShuffleNative(Vector128.Load(row + taps->Window), taps->Indices).AsInt16();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> MultiplyAddPairs(Vector128<int> sum, Vector128<short> pixels, Vector128<short> weights)
    {
        if (Sse2.IsSupported) return sum + Sse2.MultiplyAddAdjacent(pixels, weights);
        if (AdvSimd.IsSupported)
            return AdvSimd.MultiplyWideningUpperAndAdd(AdvSimd.MultiplyWideningLowerAndAdd(sum, pixels.GetLower(), weights.GetLower()), pixels, weights);
        return sum + Vector128.WidenLower(pixels) * Vector128.WidenLower(weights) + Vector128.WidenUpper(pixels) * Vector128.WidenUpper(weights);
    }

    private void ApplyScalar(byte* row, float* output)
    {
        var taps = _axis.TapCount;
        for (var i = 0; i < _axis.TargetLength; i++)
        {
            var source = row + _axis.Starts[i];
            var weights = _axis.Weights.AsSpan(i * taps, taps);
            var sum = 0f;
            for (var k = 0; k < weights.Length; k++) sum += source[k] * weights[k];
            output[i] = sum;
        }
    }

    /// <summary>Two taps of one block: where its window begins, which bytes of it they are, and what they weigh.</summary>
    private struct Taps
    {
        public Vector128<byte> Indices;
        public Vector128<short> Weights;
        public int Window;
    }
}
