using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Splits rows of interleaved pixels into planes.</summary>
internal static unsafe class Unpacking
{
    /// <summary>Y0 U Y1 V, for this many pairs of pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Yuyv(byte* source, byte* y, byte* u, byte* v, int pairCount)
    {
        var i = 0;
        var mask = Vector128.Create((ushort)0xFF);
        for (; i + 16 <= pairCount; i += 16, source += 64)
        {
            var a = Vector128.Load(source).AsUInt16();
            var b = Vector128.Load(source + 16).AsUInt16();
            var c = Vector128.Load(source + 32).AsUInt16();
            var d = Vector128.Load(source + 48).AsUInt16();
            Vector128.Narrow(a & mask, b & mask).Store(y + 2 * i);
            Vector128.Narrow(c & mask, d & mask).Store(y + 2 * i + 16);
            var ab = Vector128.Narrow(a >>> 8, b >>> 8).AsUInt16();
            var cd = Vector128.Narrow(c >>> 8, d >>> 8).AsUInt16();
            Vector128.Narrow(ab & mask, cd & mask).Store(u + i);
            Vector128.Narrow(ab >>> 8, cd >>> 8).Store(v + i);
        }

        for (; i < pairCount; i++, source += 4)
        {
            y[2 * i] = source[0];
            u[i] = source[1];
            y[2 * i + 1] = source[2];
            v[i] = source[3];
        }
    }

    /// <summary>Three bytes a pixel, for this many pixels; also takes golden images apart.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleaved3(byte* source, byte* a, byte* b, byte* c, int pixelCount)
    {
        var i = 0;
        for (; i + 16 <= pixelCount; i += 16, source += 48)
        {
            var first = Vector128.Load(source);
            var second = Vector128.Load(source + 16);
            var third = Vector128.Load(source + 32);
            Pick(first, second, third, 0).Store(a + i);
            Pick(first, second, third, 1).Store(b + i);
            Pick(first, second, third, 2).Store(c + i);
        }

        for (; i < pixelCount; i++, source += 3)
        {
            a[i] = source[0];
            b[i] = source[1];
            c[i] = source[2];
        }
    }

    /// <summary>Every third byte of 48 from <paramref name="channel"/> on; an index outside a vector gives 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> Pick(Vector128<byte> first, Vector128<byte> second, Vector128<byte> third, byte channel)
    {
        var at = Vector128.Create((byte)0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45) + Vector128.Create(channel);
        return Vector128.Shuffle(first, at)
            | Vector128.Shuffle(second, at - Vector128.Create((byte)16))
            | Vector128.Shuffle(third, at - Vector128.Create((byte)32));
    }
}
