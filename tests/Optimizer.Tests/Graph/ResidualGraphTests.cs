using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;
using TorchSharp;

namespace Dunlin.Optimizer.Tests.Graph;

public sealed class ResidualGraphTests
{
    private static readonly ResidualSpec Spec = new([16, 32], BlockCount: 2, StemStride: 2, ClassCount: 3);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void TheFoldedGraphComputesWhatTheTrainedNetworkDoes(int stemStride)
    {
        Torch.Require();
        var spec = Spec with { StemStride = stemStride };
        var weights = RandomWeights.For(spec);
        using var network = new ResidualNetwork(spec);
        using var masters = new MasterWeights(network);
        masters.Write(weights, velocity: null);
        network.eval();
        using var run = new GraphRun(ResidualGraph.Build(spec, weights, side: 28));
        var random = new Random(11);
        for (var i = 0; i < 5; i++)
        {
            float[] image = [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle() * 3 - 1)];
            using var input = torch.tensor(image, [1, 1, 28, 28]);
            using var expected = network.forward(input);
            foreach (var (ours, theirs) in run.Scores(image).Zip(expected.data<float>().ToArray())) Assert.Equal(theirs, ours, 1e-4f * (1 + Math.Abs(theirs)));
        }
    }

    [Fact]
    public void OnnxItselfAcceptsTheGraph() => OnnxChecker.Accepts(ResidualGraph.Build(Spec, RandomWeights.For(Spec), 28));

    [Fact]
    public void OperationsAndParametersAreThoseOfTheArithmetic()
    {
        var spec = new ResidualSpec([16, 32], BlockCount: 1, StemStride: 2, ClassCount: 10);
        var facts = GraphFacts.Of(ResidualGraph.Build(spec, RandomWeights.For(spec), 28));

        const int first = 14 * 14, second = 7 * 7;
        Assert.Equal(
            first * 16 * 9 + 2 * first * 16 * 16 * 9 + second * (16 * 32 * 9 + 32 * 32 * 9 + 16 * 32) + 32 * 10, facts.Macs);
        Assert.Equal(
            16 * 9 + 16 + 2 * (16 * 16 * 9 + 16) + (16 * 32 * 9 + 32) + (32 * 32 * 9 + 32) + (16 * 32 + 32) + 32 * 10 + 10, facts.ParameterCount);
        Assert.Equal(["Add", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "Relu"], facts.Operators);
    }

    [Fact]
    public void WeightsOfAnotherNetworkAreNamed() => Assert.Contains(
        "stage2.block1.conv1.weight",
        Assert.Throws<InvalidDataException>(() => ResidualGraph.Build(Spec, RandomWeights.For(Spec with { Widths = [16] }), 28)).Message);

    [Theory]
    [InlineData("")]
    [InlineData("16,")]
    [InlineData("16;32")]
    [InlineData("0,16")]
    public void WidthsThatAreNoneAreRefused(string text) => Assert.Throws<FormatException>(() => ResidualSpec.ParseWidths(text));
}
