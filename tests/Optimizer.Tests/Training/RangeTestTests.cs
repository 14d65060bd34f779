using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;
using Google.Protobuf;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class RangeTestTests
{
    private const double Usual = 0.05;
    private static readonly ResidualSpec Spec = new([8, 16], [1, 1], StemStride: 2, ClassCount: 3);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1e9, Usual, Usual)]
    [InlineData(0.5, 0.04, Usual)]
    [InlineData(0.02, 0.003, 0.02)]
    [InlineData(0.002, 0.0003, 0.002)]
    public void ThePeakLiesBelowTheRateThatDestroys(double bearable, double least, double most)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            // From a network that knows nearly nothing to one that knows nearly all: what it loses counts against what it could know.
            foreach (var begin in (double[])[4.0, 1.0, 0.1])
            {
                var loss = begin;
                var peak = RangeTest.Peak(Usual, rates => [.. rates.Select(rate =>
                    ((loss = rate < bearable ? 0.95 * loss : Math.Min(3 * loss, 5)) * (0.8 + (0.4 * random.NextDouble())), 4.6))]);
                Assert.InRange(peak, least, most);
            }
        }
    }

    [Fact]
    public void ANetworkWithNormalizationIsNotTested()
    {
        var graph = ModelGraph.Of(ResidualGraph.Build(Spec, [1, 1, Stripes.Side, Stripes.Side], seed: 1));
        using var images = Stripes.Pixels(96);
        using var tested = new CancellationTokenSource();
        tested.Cancel();
        Assert.Equal(Usual, RangeTest.Peak(new Trainer(images, Options), Usual, graph, tested.Token));
    }

    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(4, 0, true)]
    [InlineData(4, 1, true)]
    [InlineData(4, 2, false)]
    [InlineData(0, 1, false)]
    public void TheTestIsNeededWhereFewerThanHalfOfTheConvolutionsAreNormalized(int convolutions, int normalizations, bool isNeeded)
    {
        var graph = ModelGraph.Of(ResidualGraph.Build(Spec, [1, 1, Stripes.Side, Stripes.Side], seed: 1));
        graph.Model.Graph.Node.Clear();
        foreach (var (type, count) in (ReadOnlySpan<(string, int)>)[("Gemm", 1), ("Conv", convolutions), ("BatchNormalization", normalizations)])
            for (var i = 0; i < count; i++) graph.Model.Graph.Node.Add(new Onnx.NodeProto { OpType = type });
        Assert.Equal(isNeeded, RangeTest.IsNeeded(graph));
    }

    [Fact]
    public void ALossThatIsNoNumberEndsTheTestBelow()
    {
        var last = 0.0;
        var peak = RangeTest.Peak(Usual, rates =>
        {
            last = rates[10];
            return [.. rates.Take(10).Select(_ => (1.0, 4.6))];
        });
        Assert.Equal(last / 6, peak, 1e-12);
    }

    [Fact]
    public void WhatIsTrainedToTestIsForgotten()
    {
        Torch.Require();
        var graph = ModelGraph.Of(FoldedResidual.Make(Spec, Stripes.Side));
        var before = Digest.Of(graph.Model.ToByteArray());
        using var images = Stripes.Pixels(96);
        var trainer = new Trainer(images, Options) { ThreadCount = 1 };
        var losses = trainer.Losses(graph, [.. Enumerable.Repeat(0.01, 7)], Stop);
        Assert.Equal(7, losses.Count);
        Assert.Equal(losses, trainer.Losses(graph, [.. Enumerable.Repeat(0.01, 7)], Stop));
        Assert.Equal(before, Digest.Of(graph.Model.ToByteArray()));
    }

    // As a network whose normalization was folded into it: what one layer makes small the next makes large, and its gradient with it.
    [Fact]
    public void ANetworkThatTheUsualRateDestroysIsTrainedAtOneThatItBears()
    {
        Torch.Require();
        var graph = ModelGraph.Of(ResidualGraph.Build(Spec, [1, 1, Stripes.Side, Stripes.Side], seed: 1));
        using var images = Stripes.Pixels(300);
        new Trainer(images, Options with { EpochCount = 3, LearningRate = 0.1 }) { ThreadCount = 1 }.Run(graph, Stop);
        BatchNormFolding.Apply(graph);
        graph.Scale("stage2.block1.conv1", 0.02f);
        graph.Scale("stage2.block1.conv2", 50, withBias: false);
        var bytes = graph.Model.ToByteArray();
        Assert.InRange(Stripes.ShareRight(graph), 0.9, 1);

        // Not every command that trains has an option for the rate.
        Assert.DoesNotContain("--learning-rate", Assert.Throws<DivergedException>(() => Trained(Usual)).Message);
        var peak = RangeTest.Peak(new Trainer(images, Options) { ThreadCount = 1 }, Usual, graph, Stop);
        Assert.InRange(peak, 0, Usual / 4);
        Assert.InRange(Stripes.ShareRight(Trained(peak)), 0.9, 1);

        ModelGraph Trained(double rate)
        {
            var student = ModelGraph.Of(Onnx.ModelProto.Parser.ParseFrom(bytes));
            new Trainer(images, Options with { LearningRate = rate }) { ThreadCount = 1 }.Run(student, Stop);
            return student;
        }
    }

    private static TrainingOptions Options => new() { EpochCount = 2, BatchSize = 32, LearningRate = Usual };
}
