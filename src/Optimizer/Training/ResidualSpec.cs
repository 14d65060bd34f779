namespace Dunlin.Optimizer.Training;

/// <summary>A residual network in the manner of He et al. 2016 for small images: a 3×3 stem, stages of basic blocks, mean over the image, one linear layer.</summary>
/// <param name="Widths">Channels per stage; each stage after the first halves the image.</param>
/// <param name="BlockCount">Basic blocks per stage.</param>
/// <param name="StemStride">1, or 2 to halve the image at once, which makes everything after it four times as cheap.</param>
/// <param name="ClassCount">Outputs.</param>
internal sealed record ResidualSpec(IReadOnlyList<int> Widths, int BlockCount, int StemStride, int ClassCount)
{
    /// <summary>The convolutions and the linear layer, counted as the literature counts depth.</summary>
    public int Depth => 2 * BlockCount * Widths.Count + 2;

    /// <summary>All blocks in order.</summary>
    public IEnumerable<ResidualBlockSpec> Blocks()
    {
        var input = Widths[0];
        for (var stage = 0; stage < Widths.Count; stage++)
        {
            for (var block = 0; block < BlockCount; block++)
            {
                var stride = stage > 0 && block == 0 ? 2 : 1;
                yield return new ResidualBlockSpec($"stage{stage + 1}.block{block + 1}", input, Widths[stage], stride);
                input = Widths[stage];
            }
        }
    }

    /// <summary>Widths as they are typed: <c>16,32,64</c>.</summary>
    /// <exception cref="FormatException">Not a list of positive numbers.</exception>
    public static IReadOnlyList<int> ParseWidths(string text)
    {
        var widths = new List<int>();
        foreach (var part in text.Split(','))
        {
            if (!int.TryParse(part, out var width) || width is < 1 or > 4096)
                throw new FormatException($"'{text}' is not a list of widths; write channels per stage from 1 to 4096, for example 16,32,64.");
            widths.Add(width);
        }

        return widths;
    }

    public override string ToString() =>
        $"ResNet-{Depth}, widths {string.Join(',', Widths)}, {BlockCount} a stage, stem stride {StemStride}, {ClassCount} classes";

    public bool Equals(ResidualSpec? other) =>
        other is not null && Widths.SequenceEqual(other.Widths) && (BlockCount, StemStride, ClassCount) == (other.BlockCount, other.StemStride, other.ClassCount);

    public override int GetHashCode() => HashCode.Combine(Widths.Count, Widths[0], BlockCount, StemStride, ClassCount);
}

/// <summary>Two 3×3 convolutions and a shortcut, which is a 1×1 convolution where the shape changes.</summary>
internal sealed record ResidualBlockSpec(string Name, int Input, int Output, int Stride)
{
    public bool HasProjection => Stride != 1 || Input != Output;
}
