using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class ResidualGraphTests
{
    private static readonly ResidualSpec Spec = new([16, 32], BlockCount: 1, StemStride: 2, ClassCount: 10);

    [Fact]
    public void OnnxItselfAcceptsTheGraph() => OnnxChecker.Accepts(ResidualGraph.Build(Spec, 28, seed: 1), ResidualGraph.Build(Spec with { StemStride = 1, BlockCount = 2 }, 28, seed: 1));

    [Fact]
    public void OperationsAndParametersAreThoseOfTheArithmetic()
    {
        var graph = ModelGraph.Of(ResidualGraph.Build(Spec, 28, seed: 1));
        BatchNormFolding.Apply(graph);
        var facts = GraphFacts.Of(graph);

        const int first = 14 * 14, second = 7 * 7;
        Assert.Equal(
            first * 16 * 9 + 2 * first * 16 * 16 * 9 + second * (16 * 32 * 9 + 32 * 32 * 9 + 16 * 32) + 32 * 10, facts.Macs);
        Assert.Equal(
            16 * 9 + 16 + 2 * (16 * 16 * 9 + 16) + (16 * 32 * 9 + 32) + (32 * 32 * 9 + 32) + (16 * 32 + 32) + 32 * 10 + 10, facts.ParameterCount);
        Assert.Equal(["Add", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Relu"], facts.Operators);
    }

    [Fact]
    public void ASeedSaysWhichWeights()
    {
        Assert.Equal(ResidualGraph.Build(Spec, 28, seed: 1), ResidualGraph.Build(Spec, 28, seed: 1));
        Assert.NotEqual(ResidualGraph.Build(Spec, 28, seed: 1), ResidualGraph.Build(Spec, 28, seed: 2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("16,")]
    [InlineData("16;32")]
    [InlineData("0,16")]
    public void WidthsThatAreNoneAreRefused(string text) => Assert.Throws<FormatException>(() => ResidualSpec.ParseWidths(text));
}
