using Dunlin.Contracts.Manifests;
using Dunlin.Runtime.Explaining;
using Dunlin.Runtime.Tests.Preprocessing;

namespace Dunlin.Runtime.Tests.Explaining;

public sealed class OcclusionTests
{
    /// <summary>Counts of square inputs are those of a square that moves by half of its side; long and thin ones cost no more.</summary>
    [Theory]
    [InlineData(1, 1, 2)]
    [InlineData(28, 28, 170)]
    [InlineData(224, 224, 145)]
    [InlineData(640, 32, 121)]
    [InlineData(32, 640, 121)]
    [InlineData(3, 1000, 37)]
    public void AMapTakesAsManyRunsAsItSaysWhateverTheShape(int width, int height, int expected)
    {
        var (input, count) = (Inputs.Plain(width, height), 0);
        Assert.Equal(expected, Occlusion.RunCount(input));
        Occlusion.Falls(new float[3 * width * height], input, 0.5f, _ => ++count);
        Assert.Equal(Occlusion.RunCount(input), 1 + count);
    }

    [Fact]
    public void EveryLengthOfASideHasFewPlacesAndEachOfItsPixelsIsCovered()
    {
        for (var length = 1; length <= 1500; length++)
        {
            var (wide, high) = (Inputs.Plain(length, 1), Inputs.Plain(1, length));
            Assert.InRange(Occlusion.RunCount(Inputs.Plain(length, length)), 2, 170);
            Assert.Equal(Occlusion.RunCount(wide), Occlusion.RunCount(high));
            // The mean over no rectangle would be no number.
            Assert.All(Occlusion.Falls(new float[3 * length], wide, 1, _ => 0.1f), fall => Assert.Equal(MathF.Log(10), fall, 0.001f));
        }
    }

    [Theory]
    [InlineData(640, 32, TensorLayout.Nchw)]
    [InlineData(32, 640, TensorLayout.Nchw)]
    [InlineData(96, 17, TensorLayout.Nhwc)]
    public void TheHeatOfALongInputIsWhereTheModelLooks(int width, int height, TensorLayout layout)
    {
        // The model looks at one place, of the second channel, that is bright; the rest is black.
        var input = Inputs.Plain(width, height) with { Layout = layout };
        var (x, y) = (width * 4 / 5, height / 4);
        var at = layout == TensorLayout.Nchw ? (height + y) * width + x : (y * width + x) * 3 + 1;
        var tensor = new float[3 * width * height];
        tensor[at] = 1;
        var falls = Occlusion.Falls(tensor, input, 0.9f, covered => covered[at] < 1 ? 0.1f : 0.9f);
        var (most, warm) = (falls[y * width + x], falls.Index().Where(cell => cell.Item > 0).Select(cell => cell.Index).ToList());
        Assert.Equal(MathF.Log(9), most, 0.001f);
        Assert.Equal(most, falls.Max());
        // Two rectangles of a sixth of each side that hold the place reach no further than a sixth from it.
        Assert.All(warm, cell => Assert.True(Math.Abs(cell % width - x) <= width / 6 && Math.Abs(cell / width - y) <= height / 6, $"{cell % width}, {cell / width}"));
    }
}
