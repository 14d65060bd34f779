using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Colour conversion, clamping and normalization of one target row, and its way into the tensor.</summary>
internal static unsafe class RowWriter
{
    /// <summary>Three planes to one channel. Lengths are whole vectors unless <paramref name="length"/> is; the last vector overlaps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Convert(float* a, float* b, float* c, ColourMap map, int channel, float* output, int length)
    {
        var (ma, mb, mc) = (new Vector<float>(map.Matrix[3 * channel]), new Vector<float>(map.Matrix[3 * channel + 1]), new Vector<float>(map.Matrix[3 * channel + 2]));
        var (bias, low, high) = (new Vector<float>(map.Bias[channel]), new Vector<float>(map.Low[channel]), new Vector<float>(map.High[channel]));
        for (var x = 0; x < length; x += Vector<float>.Count)
        {
            if (x + Vector<float>.Count > length && length >= Vector<float>.Count) x = length - Vector<float>.Count;
            var sum = Vector.MultiplyAddEstimate(Vector.Load(a + x), ma, bias);
            sum = Vector.MultiplyAddEstimate(Vector.Load(b + x), mb, sum);
            sum = Vector.MultiplyAddEstimate(Vector.Load(c + x), mc, sum);
            Vector.MinNative(Vector.MaxNative(sum, low), high).Store(output + x);
        }
    }

    /// <summary>Three rows to one of interleaved pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleave(float* a, float* b, float* c, float* output, int length)
    {
        for (var x = 0; x < length; x++, output += 3)
        {
            output[0] = a[x];
            output[1] = b[x];
            output[2] = c[x];
        }
    }

    /// <summary>Rounded to the nearest, saturated; the pixels <paramref name="step"/> bytes apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ToBytes(float* row, byte* output, int step, int length)
    {
        var x = 0;
        if (step == 1)
        {
            for (; x + 16 <= length; x += 16)
            {
                var low = Vector128.Narrow(Rounded(row + x), Rounded(row + x + 4));
                var high = Vector128.Narrow(Rounded(row + x + 8), Rounded(row + x + 12));
                Vector128.Narrow(low.AsUInt16(), high.AsUInt16()).Store(output + x);
            }
        }

        for (; x < length; x++) output[x * step] = (byte)(Math.Clamp(row[x], 0, 255) + 0.5f);
    }

    private static Vector128<int> Rounded(float* row) => Vector128.ConvertToInt32(
        Vector128.Min(Vector128.Max(Vector128.Load(row), Vector128<float>.Zero), Vector128.Create(255f)) + Vector128.Create(0.5f));
}
