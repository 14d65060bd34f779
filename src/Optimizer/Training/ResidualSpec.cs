namespace Dunlin.Optimizer.Training;

/// <summary>A residual network in the manner of He et al. 2016 for small images: a 3×3 stem, stages of blocks, mean over the image, one linear layer.</summary>
/// <param name="Widths">Channels per stage; each stage after the first halves the image.</param>
/// <param name="BlockCounts">Blocks per stage.</param>
/// <param name="StemStride">1, or 2 to halve the image at once, which makes everything after it four times as cheap.</param>
/// <param name="ClassCount">Outputs.</param>
internal sealed record ResidualSpec(IReadOnlyList<int> Widths, IReadOnlyList<int> BlockCounts, int StemStride, int ClassCount)
{
    /// <summary>Channels that a bottleneck gives for each that its middle convolution computes.</summary>
    private const int Expansion = 4;

    /// <summary>Blocks are 1×1, 3×3, 1×1 with four times as many channels outside as within, as in ResNet-50, instead of twice 3×3.</summary>
    public bool HasBottlenecks { get; init; }

    /// <summary>Channels of the last stage.</summary>
    public int FeatureCount => Outside(Widths[^1]);

    /// <summary>The convolutions and the linear layer, counted as the literature counts depth.</summary>
    public int Depth => (HasBottlenecks ? 3 : 2) * BlockCounts.Sum() + 2;

    /// <summary>All blocks in order.</summary>
    public IEnumerable<ResidualBlockSpec> Blocks()
    {
        var input = Widths[0];
        for (var stage = 0; stage < Widths.Count; stage++)
        {
            for (var block = 0; block < BlockCounts[stage]; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                yield return new ResidualBlockSpec($"stage{stage + 1}.block{block + 1}", input, HasBottlenecks ? Widths[stage] : null, Outside(Widths[stage]), stride);
                input = Outside(Widths[stage]);
            }
        }
    }

    /// <summary>Numbers per stage as they are typed: <c>16,32,64</c>.</summary>
    /// <exception cref="FormatException">Not a list of positive numbers.</exception>
    public static IReadOnlyList<int> ParseStages(string text)
    {
        var numbers = new List<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part, out var number) || number is < 1 or > 4096)
                throw new FormatException($"'{text}' is no list of stages; write a number from 1 to 4096 for each, for example 16,32,64.");
            numbers.Add(number);
        }

        return numbers;
    }

    public override string ToString() =>
        $"ResNet-{Depth}, widths {string.Join(',', Widths)}, blocks {string.Join(',', BlockCounts)}, stem stride {StemStride}, {ClassCount} classes";

    public bool Equals(ResidualSpec? other) =>
        other is not null && Widths.SequenceEqual(other.Widths) && BlockCounts.SequenceEqual(other.BlockCounts)
        && (HasBottlenecks, StemStride, ClassCount) == (other.HasBottlenecks, other.StemStride, other.ClassCount);

    public override int GetHashCode() => HashCode.Combine(Widths.Count, Widths[0], BlockCounts.Sum(), HasBottlenecks, StemStride, ClassCount);

    private int Outside(int width) => HasBottlenecks ? width * Expansion : width;
}

/// <summary>Two or three convolutions and a shortcut, which is a 1×1 convolution where the shape changes.</summary>
/// <param name="Name">Of the block.</param>
/// <param name="Input">Channels.</param>
/// <param name="Bottleneck">Channels of the 3×3 convolution between two of 1×1; null where two of 3×3 are the block.</param>
/// <param name="Output">Channels.</param>
/// <param name="Stride">Of the first 3×3 convolution.</param>
internal sealed record ResidualBlockSpec(string Name, int Input, int? Bottleneck, int Output, int Stride)
{
    public bool HasProjection => Stride != 1 || Input != Output;
}
