using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Training.Execution;
using static Dunlin.Optimizer.Tests.Training.TorchComparison;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class TorchRefusalTests
{
    [Fact]
    public void AnOperatorThatCannotBeTrainedIsNamed()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6);
        var x = net.Conv(NetBuilder.Image, 6);
        x = net.Add("LpNormalization", [x], net.ShapeOf(x), Nodes.Int("axis", 1));
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Mean(x), 4)));
        Assert.Contains("(LpNormalization) cannot be trained", Assert.Throws<InvalidDataException>(() => new GraphNetwork(graph)).Message);
    }

    [Fact]
    public void WhatTorchRefusesOnlyWhileItComputesIsNamedInOneLine()
    {
        Torch.Require();
        var graph = ModelGraph.Of(MixingNet.Build(classes: 4));
        using var network = new GraphNetwork(graph);
        using var images = Images(graph.Model, graph, batch: 2);
        var error = Assert.Throws<InvalidDataException>(() => network.forward(images));
        Assert.Matches(@"^Node '\w+' \(Gemm\) cannot be trained: torch says: [^\n]+\.$", error.Message);
    }
}
