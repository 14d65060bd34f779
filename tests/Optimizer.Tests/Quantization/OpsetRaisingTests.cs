using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class OpsetRaisingTests
{
    // As SqueezeNet of the ONNX zoo ends.
    [Theory]
    [InlineData("Softmax")]
    [InlineData("LogSoftmax")]
    public void ASoftmaxOverPooledChannelsStaysOne(string operation)
    {
        var net = new NetBuilder(seed: 6, side: 8) { Opset = 9 };
        AssertSameRaised(net.Build(net.Unary(operation, net.GlobalPool(net.Conv(NetBuilder.Image, 5)), Nodes.Int("axis", 1))));
    }

    [Fact]
    public void ASoftmaxOverSeveralAxesIsRefused()
    {
        var net = new NetBuilder(seed: 6, side: 8) { Opset = 9 };
        var x = net.Unary("Softmax", net.Conv(NetBuilder.Image, 5), Nodes.Int("axis", 1));
        AssertRefused(net.Build(net.Linear(net.Mean(x), 4)), "(Softmax)");
    }

    [Fact]
    public void ABatchNormalizationThatCannotBeFoldedLosesItsOldAttribute()
    {
        var net = new NetBuilder(seed: 6, side: 8) { Opset = 8 };
        var x = net.Norm(net.Relu(net.Conv(NetBuilder.Image, 5)));
        net.Graph.Node[^1].Attribute.Add(Nodes.Int("spatial", 1));
        AssertSameRaised(net.Build(net.Linear(net.Mean(x), 4)));
    }

    [Fact]
    public void ABatchNormalizationOfEachPlaceIsRefused()
    {
        var net = new NetBuilder(seed: 6, side: 8) { Opset = 8 };
        string[] inputs = [NetBuilder.Image, .. Enumerable.Range(0, 4).Select(i => net.Constant(Tensors.Of($"norm{i}", [.. Enumerable.Repeat(1f, 3 * 8 * 8)], 3, 8, 8)))];
        var x = net.Add("BatchNormalization", inputs, net.ShapeOf(NetBuilder.Image), Nodes.Int("spatial", 0));
        AssertRefused(net.Build(net.Linear(net.Mean(net.Conv(x, 5)), 4)), "(BatchNormalization)");
    }

    private static void AssertSameRaised(ModelProto model)
    {
        var graph = ModelGraph.Of(model);
        OpsetRaising.Apply(graph);
        Assert.Equal(OpsetRaising.PerChannel, graph.Opset);
        GraphRun.AssertSame(model, graph.Model, 1e-5);
    }

    private static void AssertRefused(ModelProto model, string node) =>
        Assert.Contains($"{node} cannot be brought to 13", Assert.Throws<InvalidDataException>(() => OpsetRaising.Apply(ModelGraph.Of(model))).Message);
}
