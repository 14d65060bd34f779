using Dunlin.Contracts.Manifests;

namespace Dunlin.Runtime.Explaining;

/// <summary>
/// Occlusion sensitivity (Zeiler and Fergus 2014, "Visualizing and Understanding Convolutional Networks"): a square of the image's mean colour
/// is moved over it, and what the class's log-probability falls is what the covered place said for it. Logarithms, since a sure model's
/// probability hardly moves.
/// </summary>
public static class Occlusion
{
    /// <summary>The square's side is this part of the shorter side, and it moves by half of it.</summary>
    private const int SidesAcross = 6;

    private const float Smallest = 1e-9f;

    /// <summary>How often a model of this input is run for one map.</summary>
    public static int RunCount(InputSpec input) => 1 + Places(input.Width, SideOf(input)).Count() * Places(input.Height, SideOf(input)).Count();

    /// <summary>What each pixel of the input says for the class: the mean fall over the squares that cover it, row by row.</summary>
    /// <param name="tensor">In the layout of <paramref name="input"/>.</param>
    /// <param name="input">Of the model.</param>
    /// <param name="probability">The model's, of the class, for such a tensor.</param>
    public static float[] Falls(ReadOnlySpan<float> tensor, InputSpec input, Func<float[], float> probability)
    {
        var (width, height, side) = (input.Width, input.Height, SideOf(input));
        var covered = tensor.ToArray();
        var whole = Logarithm(probability(covered));
        var (falls, counts) = (new float[width * height], new int[width * height]);
        var mean = Means(tensor, input);
        foreach (var top in Places(height, side))
        {
            foreach (var left in Places(width, side))
            {
                tensor.CopyTo(covered);
                foreach (var cell in Cells(left, top, side, width))
                    for (var channel = 0; channel < mean.Length; channel++) covered[At(cell, channel, input)] = mean[channel];
                var fall = whole - Logarithm(probability(covered));
                foreach (var cell in Cells(left, top, side, width))
                {
                    falls[cell] += fall;
                    counts[cell]++;
                }
            }
        }

        for (var i = 0; i < falls.Length; i++) falls[i] /= counts[i];
        return falls;
    }

    private static int SideOf(InputSpec input) => Math.Max(1, Math.Min(input.Width, input.Height) / SidesAcross);

    /// <summary>Where squares begin so that every place is covered, the last flush with the border.</summary>
    private static IEnumerable<int> Places(int length, int side)
    {
        var step = Math.Max(1, side / 2);
        for (var place = 0; place < length - side; place += step) yield return place;
        yield return Math.Max(0, length - side);
    }

    private static IEnumerable<int> Cells(int left, int top, int side, int width)
    {
        for (var y = top; y < top + side; y++)
            for (var x = left; x < left + side; x++) yield return y * width + x;
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
}
