using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// The first half of resampling: each row of the target as a weighted sum of rows of the source, in 16-bit fixed point:
/// <c>(127 − pixel) · 256</c>, rounded. First, because a frame has more rows than the target, and because here packed
/// pixels can be taken apart on the way.
/// </summary>
internal sealed unsafe class VerticalPass
{
    /// <summary>The pixel that 0 stands for.</summary>
    public const int Centre = 127;

    /// <summary>Bits after the point.</summary>
    public const int FractionBits = 8;

    private const int Chunk = 16;

    // A pixel has 8 bits, and the sum a sign.
    private const int MostBits = 22;

    private readonly AxisTable _axis;
    private readonly int _height;
    private readonly short[] _weights;
    private readonly int _shift;
    private readonly int _start;
    private readonly Pair[] _pairs;
    private int _pairCount;
    private nint _ahead;

    /// <param name="axis">The rows of one plane.</param>
    /// <param name="height">How many the plane has.</param>
    public VerticalPass(AxisTable axis, int height)
    {
        _axis = axis;
        _height = height;
        var bits = Math.Min(axis.MostBits, MostBits);
        _weights = axis.RoundNegative(axis.TapCount + axis.TapCount % 2, bits);
        _shift = bits - FractionBits;
        _start = (1 << (_shift - 1)) + (Centre << bits);
        _pairs = GC.AllocateArray<Pair>(axis.TapCount / 2 + axis.TapCount % 2, pinned: true);
    }

    /// <summary>Looks up which rows of the plane make this row of the target; the rest of the calls are about these.</summary>
    public void Choose(int targetRow, byte* plane, nint stride)
    {
        _pairCount = 0;
        _ahead = (_axis.Starts[Math.Min(targetRow + 1, _axis.TargetLength - 1)] - _axis.Starts[targetRow]) * stride;
        var weights = _weights.AsSpan(targetRow * 2 * _pairs.Length, 2 * _pairs.Length);
        for (var tap = 0; tap < weights.Length; tap += 2)
        {
            if (weights[tap] == 0 && weights[tap + 1] == 0) continue;
            var row = _axis.Starts[targetRow] + tap;
            _pairs[_pairCount++] = new Pair
            {
                A = plane + Math.Min(row, _height - 1) * stride,
                B = plane + Math.Min(row + 1, _height - 1) * stride,
                Weights = Vector128.Create((ushort)weights[tap] | weights[tap + 1] << 16).AsInt16(),
            };
        }
    }

    /// <summary>Bytes of one kind, or pixels as they are packed, from <paramref name="first"/> on; to the same places of the output.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Bytes(int first, int length, short* output)
    {
        if (length < Chunk)
        {
            OneByOne(first, 1, length, output + first);
            return;
        }

        var pairs = (Pair*)Unsafe.AsPointer(ref _pairs[0]);
        var pairsEnd = pairs + _pairCount;
        var (start, shift, ahead) = (Vector128.Create(_start), _shift, _ahead);
        var end = (nint)first + length;
        for (nint x = first; x < end; x += Chunk)
        {
            if (x + Chunk > end) x = end - Chunk;
            var (s0, s1, s2, s3) = (start, start, start, start);
            for (var pair = pairs; pair < pairsEnd; pair++)
            {
                var weights = pair->Weights;
                Prefetch(pair->A + x + ahead);
                Prefetch(pair->B + x + ahead);
                var (a0, a1) = Vector128.Widen(Vector128.Load(pair->A + x));
                var (b0, b1) = Vector128.Widen(Vector128.Load(pair->B + x));
                s0 = AddLower(s0, a0, b0, weights);
                s1 = AddUpper(s1, a0, b0, weights);
                s2 = AddLower(s2, a1, b1, weights);
                s3 = AddUpper(s3, a1, b1, weights);
            }

            Vector128.NarrowWithSaturation(s0 >> shift, s1 >> shift).Store(output + x);
            Vector128.NarrowWithSaturation(s2 >> shift, s3 >> shift).Store(output + x + Chunk / 2);
        }
    }

    /// <summary>Y0 U Y1 V from the pixel <paramref name="first"/> on, which is even as the length is; to the same places of each plane.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Yuyv(int first, int length, short* y, short* u, short* v)
    {
        if (length < Chunk)
        {
            OneByOne(2 * first, 2, length, y + first);
            OneByOne(2 * first + 1, 4, length / 2, u + first / 2);
            OneByOne(2 * first + 3, 4, length / 2, v + first / 2);
            return;
        }

        var pairs = (Pair*)Unsafe.AsPointer(ref _pairs[0]);
        var pairsEnd = pairs + _pairCount;
        var (start, shift, ahead) = (Vector128.Create(_start), _shift, _ahead);
        var luma = Vector128.Create((ushort)0xFF);
        var end = (nint)first + length;
        for (nint x = first; x < end; x += Chunk)
        {
            if (x + Chunk > end) x = end - Chunk;
            var (y0, y1, y2, y3) = (start, start, start, start);
            var (c0, c1, c2, c3) = (start, start, start, start);
            for (var pair = pairs; pair < pairsEnd; pair++)
            {
                var weights = pair->Weights;
                Prefetch(pair->A + 2 * x + ahead);
                Prefetch(pair->B + 2 * x + ahead);
                var a = Vector128.Load(pair->A + 2 * x).AsUInt16();
                var b = Vector128.Load(pair->B + 2 * x).AsUInt16();
                y0 = AddLower(y0, a & luma, b & luma, weights);
                y1 = AddUpper(y1, a & luma, b & luma, weights);
                c0 = AddLower(c0, a >>> 8, b >>> 8, weights);
                c1 = AddUpper(c1, a >>> 8, b >>> 8, weights);
                a = Vector128.Load(pair->A + 2 * x + Chunk).AsUInt16();
                b = Vector128.Load(pair->B + 2 * x + Chunk).AsUInt16();
                y2 = AddLower(y2, a & luma, b & luma, weights);
                y3 = AddUpper(y3, a & luma, b & luma, weights);
                c2 = AddLower(c2, a >>> 8, b >>> 8, weights);
                c3 = AddUpper(c3, a >>> 8, b >>> 8, weights);
            }

            Vector128.NarrowWithSaturation(y0 >> shift, y1 >> shift).Store(y + x);
            Vector128.NarrowWithSaturation(y2 >> shift, y3 >> shift).Store(y + x + Chunk / 2);
            Vector128.NarrowWithSaturation(Even(c0, c1) >> shift, Even(c2, c3) >> shift).Store(u + x / 2);
            Vector128.NarrowWithSaturation(Odd(c0, c1) >> shift, Odd(c2, c3) >> shift).Store(v + x / 2);
        }
    }

    /// <summary>Rows that are shorter than a vector.</summary>
    private void OneByOne(int first, int step, int count, short* output)
    {
        for (var i = 0; i < count; i++)
        {
            var sum = _start;
            foreach (ref readonly var pair in _pairs.AsSpan(0, _pairCount))
                sum += pair.A[first + i * step] * pair.Weights[0] + pair.B[first + i * step] * pair.Weights[1];
            output[i] = (short)(sum >> _shift);
        }
    }

    /// <summary>The rows of the next target row: of a frame that is in no cache yet, more rows are read at once than the CPU foresees.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Prefetch(byte* pixels)
    {
        if (Sse.IsSupported) Sse.Prefetch0(pixels);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddLower(Vector128<int> sum, Vector128<ushort> a, Vector128<ushort> b, Vector128<short> weights)
    {
        if (Sse2.IsSupported) return sum + Sse2.MultiplyAddAdjacent(Sse2.UnpackLow(a, b).AsInt16(), weights);
        if (!AdvSimd.IsSupported) return sum + Vector128.WidenLower(a).AsInt32() * weights[0] + Vector128.WidenLower(b).AsInt32() * weights[1];
        sum = AdvSimd.MultiplyBySelectedScalarWideningLowerAndAdd(sum, a.GetLower().AsInt16(), weights.GetLower(), 0);
        return AdvSimd.MultiplyBySelectedScalarWideningLowerAndAdd(sum, b.GetLower().AsInt16(), weights.GetLower(), 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> AddUpper(Vector128<int> sum, Vector128<ushort> a, Vector128<ushort> b, Vector128<short> weights)
    {
        if (Sse2.IsSupported) return sum + Sse2.MultiplyAddAdjacent(Sse2.UnpackHigh(a, b).AsInt16(), weights);
        if (!AdvSimd.IsSupported) return sum + Vector128.WidenUpper(a).AsInt32() * weights[0] + Vector128.WidenUpper(b).AsInt32() * weights[1];
        sum = AdvSimd.MultiplyBySelectedScalarWideningUpperAndAdd(sum, a.AsInt16(), weights.GetLower(), 0);
        return AdvSimd.MultiplyBySelectedScalarWideningUpperAndAdd(sum, b.AsInt16(), weights.GetLower(), 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Even(Vector128<int> a, Vector128<int> b) =>
        Sse.IsSupported ? Sse.Shuffle(a.AsSingle(), b.AsSingle(), 0b10_00_10_00).AsInt32()
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.UnzipEven(a, b)
        : Vector128.Create(a[0], a[2], b[0], b[2]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<int> Odd(Vector128<int> a, Vector128<int> b) =>
        Sse.IsSupported ? Sse.Shuffle(a.AsSingle(), b.AsSingle(), 0b11_01_11_01).AsInt32()
        : AdvSimd.Arm64.IsSupported ? AdvSimd.Arm64.UnzipOdd(a, b)
        : Vector128.Create(a[1], a[3], b[1], b[3]);

    /// <summary>Two rows of the source, and what they weigh: w(A), w(B), again and again.</summary>
    private struct Pair
    {
        public Vector128<short> Weights;
        public byte* A;
        public byte* B;
    }
}
