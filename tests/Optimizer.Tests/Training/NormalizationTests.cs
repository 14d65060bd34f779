using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Pruning;
using Dunlin.Optimizer.Training.Execution;
using Onnx;
using static Dunlin.Optimizer.Tests.Training.TorchComparison;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class NormalizationTests
{
    [Theory]
    [InlineData(-1, true)]
    [InlineData(3, false)]
    [InlineData(1, true)]
    [InlineData(2, false)]
    public void LayerNormalizationComputesTheSameOverAnyAxes(int axis, bool hasOffset)
    {
        Torch.Require();
        var net = new NetBuilder(seed: 4, side: 8);
        var x = net.Conv(NetBuilder.Image, 6);
        var normalized = net.ShapeOf(x)[(axis < 0 ? axis + 4 : axis)..];
        List<string> inputs = [x, net.Weights("gain", 1, normalized)];
        if (hasOffset) inputs.Add(net.Weights("offset", 1, normalized));
        x = net.Add("LayerNormalization", inputs, net.ShapeOf(x), Nodes.Int("axis", axis), Nodes.Float("epsilon", 0.01f));
        AssertSame(net.Build(net.Linear(net.Flatten(net.Relu(x)), 4)));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(9)]
    public void LocalResponseNormalizationComputesTheSame(int size)
    {
        Torch.Require();
        var net = new NetBuilder(seed: 4, side: 8);
        // Large enough that its neighbours show in a channel.
        var x = net.Unary("LRN", net.Conv(NetBuilder.Image, 7), Nodes.Int("size", size), Nodes.Float("alpha", 3), Nodes.Float("beta", 0.6f), Nodes.Float("bias", 1.5f));
        x = net.Unary("LRN", net.Conv(x, 7), Nodes.Int("size", size));
        AssertSame(net.Build(net.Linear(net.Flatten(net.Relu(x)), 4)));
    }

    [Fact]
    public void AWindowOfAnEvenNumberOfChannelsIsRefused()
    {
        var net = new NetBuilder(seed: 4, side: 8);
        var model = net.Build(net.Linear(net.Flatten(net.Unary("LRN", net.Conv(NetBuilder.Image, 7), Nodes.Int("size", 4))), 4));
        Assert.Throws<InvalidDataException>(() => ModelGraph.Of(model));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void EveryWeightOfAConvNeXtIsTrained(ScalarType type)
    {
        Torch.Require();
        var model = ConvNeXt();
        if (type == ScalarType.Float32) AssertSame(model);
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph, type);
        network.train();
        using var images = Images(model, graph, batch: 4);
        using var logits = network.Logits(images);
        using var loss = nn.functional.cross_entropy(logits.to(ScalarType.Float32), tensor(new long[] { 0, 1, 2, 3 }));
        loss.backward();

        // All but the factors of each layer's result, which stay as they are.
        Assert.Equal(GraphFacts.Of(graph).ParameterCount - 2 * 8, network.Weights.Values.Sum(w => w.numel()));
        Assert.All(network.Weights, w => Assert.True(w.Value.grad!.abs().sum().to(ScalarType.Float32).item<float>() > 0, w.Key));
    }

    [Fact]
    public void TheWideLayersOfAConvNeXtArePrunedAndWhatIsNormalizedStays()
    {
        var model = ConvNeXt();
        Assert.NotEqual(0, ZeroedChannels.Check(model, seed: 1));
        var plan = Pruner.Prune(ModelGraph.Of(model), MagnitudeImportance.L2, new PruningOptions(0.5, PruningScope.Layer, Step: 1));
        Assert.Equal([(32, 16), (32, 16)], plan.Groups.Select(g => (g.ChannelCount, g.KeptCount)));
        Assert.Contains("(LayerNormalization)", Assert.Single(plan.Kept).Why);
    }

    [Fact]
    public void AlexNetsNormalizationIsTrainedThrough()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 4, side: 16);
        var x = net.Unary("LRN", net.Relu(net.Conv(NetBuilder.Image, 8, 5)), Nodes.Int("size", 5));
        var model = net.Build(net.Linear(net.Flatten(net.Pool("MaxPool", net.Relu(net.Conv(x, 8)))), 4));
        foreach (var type in new[] { ScalarType.Float32, ScalarType.BFloat16 })
        {
            var graph = ModelGraph.Of(model);
            using var network = new GraphNetwork(graph, type);
            using var images = Images(model, graph, batch: 2);
            using var sum = network.forward(images).sum();
            sum.backward();
            Assert.All(network.Weights, w => Assert.True(w.Value.grad!.abs().sum().to(ScalarType.Float32).item<float>() > 0, w.Key));
        }
    }

    // Two blocks as PyTorch writes them with operator set 17.
    private static ModelProto ConvNeXt()
    {
        const int channels = 8;
        var net = new NetBuilder(seed: 4, side: 16);
        var x = net.Conv(NetBuilder.Image, channels, kernel: 4, stride: 4, padding: 0);
        for (var block = 0; block < 2; block++)
        {
            var y = Normalized(net, net.Transpose(net.Conv(x, channels, 7, group: channels), 0, 2, 3, 1));
            y = Layer(net, Gelu(net, Layer(net, y, 4 * channels)), channels);
            y = net.Add("Mul", [y, net.Weights("factors", 1, channels)], net.ShapeOf(y));
            x = net.Binary("Add", net.Transpose(y, 0, 3, 1, 2), x);
        }

        return net.Build(net.Linear(Normalized(net, net.Mean(x)), 4));
    }

    private static string Normalized(NetBuilder net, string x)
    {
        var width = net.ShapeOf(x)[^1];
        return net.Add("LayerNormalization", [x, net.Weights("gain", 1, width), net.Weights("offset", 1, width)], net.ShapeOf(x), Nodes.Int("axis", -1), Nodes.Float("epsilon", 1e-6f));
    }

    private static string Layer(NetBuilder net, string x, long outputs)
    {
        var inputs = net.ShapeOf(x)[^1];
        var y = net.Add("MatMul", [x, net.Weights("w", Math.Sqrt(3.0 / inputs), inputs, outputs)], [.. net.ShapeOf(x)[..^1], outputs]);
        return net.Add("Add", [net.Weights("b", 0.2, outputs), y], net.ShapeOf(y));
    }

    private static string Gelu(NetBuilder net, string x)
    {
        string With(string operation, string value, float number) => net.Add(operation, [value, net.ConstantNode(Tensors.Of("", [number]))], net.ShapeOf(x));
        return With("Mul", net.Binary("Mul", x, With("Add", net.Unary("Erf", With("Div", x, MathF.Sqrt(2))), 1)), 0.5f);
    }
}
