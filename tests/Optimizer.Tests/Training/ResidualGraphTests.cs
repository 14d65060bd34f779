using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class ResidualGraphTests
{
    private static readonly ResidualSpec Spec = new([16, 32], [1, 1], StemStride: 2, ClassCount: 10);
    private static readonly long[] Shape = [1, 1, 28, 28];

    [Fact]
    public void OnnxItselfAcceptsTheGraph() => OnnxChecker.Accepts(
        ResidualGraph.Build(Spec, Shape, seed: 1),
        ResidualGraph.Build(Spec with { StemStride = 1, BlockCounts = [1, 3], HasBottlenecks = true }, Shape, seed: 1));

    [Fact]
    public void OperationsAndParametersAreThoseOfTheArithmetic()
    {
        var graph = ModelGraph.Of(ResidualGraph.Build(Spec, Shape, seed: 1));
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
    public void WithBottlenecksItHasAsManyParametersAsResNet50()
    {
        var spec = new ResidualSpec([64, 128, 256, 512], [3, 4, 6, 3], StemStride: 2, ClassCount: 10) { HasBottlenecks = true };
        Assert.Equal(50, spec.Depth);
        // torchvision's resnet50 has 25,557,032: its stem is 7×7 on three channels and its head has 1000 classes.
        const int stem = 64 * (3 * 7 * 7 - 3 * 3), head = (2048 + 1) * (1000 - 10);
        Assert.Equal(25_557_032 - stem - head, GraphFacts.Of(ModelGraph.Of(ResidualGraph.Build(spec, Shape, seed: 1))).ParameterCount);
    }

    [Fact]
    public void ASeedSaysWhichWeights()
    {
        Assert.Equal(ResidualGraph.Build(Spec, Shape, seed: 1), ResidualGraph.Build(Spec, Shape, seed: 1));
        Assert.NotEqual(ResidualGraph.Build(Spec, Shape, seed: 1), ResidualGraph.Build(Spec, Shape, seed: 2));
    }

    [Theory]
    [InlineData("")]
    [InlineData("16,")]
    [InlineData("16;32")]
    [InlineData("0,16")]
    public void WidthsThatAreNoneAreRefused(string text) => Assert.Throws<FormatException>(() => ResidualSpec.ParseStages(text));
}
