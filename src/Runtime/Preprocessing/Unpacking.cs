using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>Splits rows of interleaved pixels into planes.</summary>
internal static unsafe class Unpacking
{
    /// <summary>Three samples a pixel, for this many pixels.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Interleaved3(short* source, short* a, short* b, short* c, int pixelCount)
    {
        var i = 0;
        for (; i + 8 <= pixelCount; i += 8, source += 24)
        {
            var first = Vector128.Load(source);
            var second = Vector128.Load(source + 8);
            var third = Vector128.Load(source + 16);
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

    /// <summary>Every third sample of 24 from <paramref name="channel"/> on; an index outside a vector gives 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<short> Pick(Vector128<short> first, Vector128<short> second, Vector128<short> third, short channel)
    {
        var at = Vector128.Create((short)0, 3, 6, 9, 12, 15, 18, 21) + Vector128.Create(channel);
        return Vector128.Shuffle(first, at)
            | Vector128.Shuffle(second, at - Vector128.Create((short)8))
            | Vector128.Shuffle(third, at - Vector128.Create((short)16));
    }
}
