using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// The resampling of one axis: target pixel i is the sum over k of <c>Weights[i·TapCount + k] · source[Starts[i] + k]</c>.
/// An axis that is enlarged is bilinear also under <see cref="Interpolation.Area"/>. Pixels outside the source region
/// are never looked at: the nearest one inside counts in their place. Weights sum to 1; a tap beyond the end has weight 0.
/// </summary>
internal sealed class AxisTable
{
    private const double Tolerance = 1e-6;

    private AxisTable(int targetLength, int tapCount)
    {
        TapCount = tapCount;
        Starts = new int[targetLength];
        Weights = new float[targetLength * tapCount];
    }

    public int TapCount { get; }
    public int[] Starts { get; }
    public float[] Weights { get; }
    public int TargetLength => Starts.Length;

    /// <summary>All in pixels of the plane: its length, the start and length of the region that is looked at.</summary>
    public static AxisTable Of(int sourceLength, double start, double length, int targetLength, Interpolation interpolation)
    {
        var low = Math.Clamp((int)Math.Floor(start + Tolerance), 0, sourceLength - 1);
        var high = Math.Clamp((int)Math.Ceiling(start + length - Tolerance) - 1, low, sourceLength - 1);
        return interpolation == Interpolation.Area && length > targetLength
            ? Area(start, length, targetLength, low, high)
            : Bilinear(start, length, targetLength, low, high);
    }

    /// <summary>The most bits that <see cref="RoundNegative"/> has room for: 15, or more if no weight is 1.</summary>
    public int MostBits => (int)Math.Floor(Math.Log2(32768 / Weights.Max()));

    /// <summary>
    /// The weights as integers, this many taps a target, those beyond <see cref="TapCount"/> 0; negative, since 16 bits hold -1 and not 1.
    /// They sum to -1 &lt;&lt; <paramref name="bits"/>, so that even areas stay as they are, and each carries on what rounding lost before it.
    /// </summary>
    public short[] RoundNegative(int tapCount, int bits)
    {
        var rounded = new short[TargetLength * tapCount];
        for (var i = 0; i < TargetLength; i++)
        {
            var (exact, given) = (0.0, 0);
            for (var k = 0; k < TapCount; k++)
            {
                exact += Weights[i * TapCount + k];
                var weight = (int)Math.Round(exact * (1 << bits)) - given;
                rounded[i * tapCount + k] = (short)-weight;
                given += weight;
            }
        }

        return rounded;
    }

    private static AxisTable Bilinear(double start, double length, int targetLength, int low, int high)
    {
        var table = new AxisTable(targetLength, 2);
        for (var i = 0; i < targetLength; i++)
        {
            var at = Math.Clamp(start + (i + 0.5) * length / targetLength - 0.5, low, high);
            var first = (int)Math.Floor(at);
            table.Starts[i] = first;
            table.Weights[2 * i] = (float)(1 - (at - first));
            table.Weights[2 * i + 1] = (float)(at - first);
        }

        return table;
    }

    private static AxisTable Area(double start, double length, int targetLength, int low, int high)
    {
        var step = length / targetLength;
        var table = new AxisTable(targetLength, (int)Math.Ceiling(step) + 1);
        for (var i = 0; i < targetLength; i++)
        {
            var from = Math.Clamp(start + i * step, low, high + 1);
            var to = Math.Clamp(start + (i + 1) * step, low, high + 1);
            var first = Math.Min((int)Math.Floor(from + Tolerance), high);
            table.Starts[i] = first;
            var weights = table.Weights.AsSpan(i * table.TapCount, table.TapCount);
            var sum = 0.0;
            for (var k = 0; k < weights.Length; k++)
            {
                var overlap = Math.Min(to, first + k + 1) - Math.Max(from, first + k);
                weights[k] = overlap > Tolerance && first + k <= high ? (float)overlap : 0;
                sum += weights[k];
            }

            if (sum == 0) (weights[0], sum) = (1, 1);
            for (var k = 0; k < weights.Length; k++) weights[k] = (float)(weights[k] / sum);
        }

        return table;
    }
}
