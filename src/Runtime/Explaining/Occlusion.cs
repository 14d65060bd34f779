using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Explaining;

/// <summary>
/// Occlusion sensitivity (Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks"): a rectangle of the image's mean
/// colour is moved over it, and what the class's log-probability falls is what the covered place said for it. Logarithms, since a sure model's
/// probability hardly moves.
/// </summary>
public static class Occlusion
{
    /// <summary>Along each axis the rectangle is this part of the input, so that a long or thin input costs no more than a square one.</summary>
    private const int LengthsAlong = 6;

    /// <summary>It moves by half of its length, or by more where lengths of a few pixels, which halves do not divide, would make more steps.</summary>
    private const int MaximumStepCount = 12;

    private const float Smallest = 1e-9f;

    /// <summary>How often a model of this input is run for one map, the whole input included: at most 170 times (13 places along each axis), whatever the input's shape; 145 times for 224 × 224.</summary>
    public static int RunCount(InputSpec input) => 1 + Places(input.Width).Count() * Places(input.Height).Count();

    /// <summary>What each pixel of the input says for the class: the mean fall over the rectangles that cover it, at least one, row by row.</summary>
    /// <param name="tensor">In the layout of <paramref name="input"/>.</param>
    /// <param name="input">Of the model.</param>
    /// <param name="whole">The model's probability of the class for <paramref name="tensor"/>, which a caller knows who chose the class by it.</param>
    /// <param name="probability">The model's, of the class, for a covered tensor: asked once less than <see cref="RunCount"/>.</param>
    public static float[] Falls(ReadOnlySpan<float> tensor, InputSpec input, float whole, Func<float[], float> probability)
    {
        var (width, height) = (input.Width, input.Height);
        var (falls, counts) = (new float[width * height], new int[width * height]);
        var (covered, mean) = (new float[tensor.Length], Means(tensor, input));
        foreach (var rows in Places(height))
        {
            foreach (var columns in Places(width))
            {
                tensor.CopyTo(covered);
                foreach (var cell in Cells(columns, rows, width))
                    for (var channel = 0; channel < mean.Length; channel++) covered[At(cell, channel, input)] = mean[channel];
                var fall = Logarithm(whole) - Logarithm(probability(covered));
                foreach (var cell in Cells(columns, rows, width))
                {
                    falls[cell] += fall;
                    counts[cell]++;
                }
            }
        }

        for (var i = 0; i < falls.Length; i++) falls[i] /= counts[i];
        return falls;
    }

    /// <summary>What rectangles cover along an axis: together all of it, the last flush with the border.</summary>
    private static IEnumerable<Extent> Places(int length)
    {
        var side = Math.Max(1, length / LengthsAlong);
        var leastStep = (length - side + MaximumStepCount - 1) / MaximumStepCount;
        var step = Math.Max(1, Math.Max(leastStep, side / 2));
        for (var place = 0; place < length - side; place += step) yield return new Extent(place, place + side);
        yield return new Extent(length - side, length);
    }

    private static IEnumerable<int> Cells(Extent columns, Extent rows, int width)
    {
        for (var y = rows.Start; y < rows.End; y++)
            for (var x = columns.Start; x < columns.End; x++) yield return y * width + x;
    }

    private static float[] Means(ReadOnlySpan<float> tensor, InputSpec input)
    {
        var means = new float[input.ChannelCount];
        var count = tensor.Length / means.Length;
        for (var channel = 0; channel < means.Length; channel++)
            for (var cell = 0; cell < count; cell++) means[channel] += tensor[At(cell, channel, input)] / count;
        return means;
    }

    private static int At(int cell, int channel, InputSpec input) => input.Layout == TensorLayout.Nchw
        ? channel * input.Width * input.Height + cell
        : cell * input.ChannelCount + channel;

    private static float Logarithm(float probability) => MathF.Log(Math.Max(probability, Smallest));

    /// <summary>Pixels from <paramref name="Start"/> up to, without, <paramref name="End"/>.</summary>
    private readonly record struct Extent(int Start, int End);
}
