using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Pruning;

public sealed class ShapeRulesTests
{
    [Theory]
    [InlineData(0, 8)]
    [InlineData(0, long.MaxValue)]
    [InlineData(-8, 9)]
    [InlineData(long.MinValue, 8)]
    public void ASliceThatCutsNothingTiesNothingDown(long start, long end)
    {
        // GhostNet writes out[:, :oup], also where that is all of them.
        var net = new NetBuilder(seed: 8, side: 8);
        var x = net.Conv(NetBuilder.Image, 8);
        var first = x;
        x = net.Add("Slice", [x, .. new[] { start, end, 1, 1 }.Select(v => net.ConstantNode(Tensors.Of("", [v], 1)))], net.ShapeOf(x));
        AssertPrunable(net.Build(net.Linear(net.Mean(net.Conv(net.Relu(x), 6)), 4)), first);
    }

    [Fact]
    public void ASliceThatCutsOneAxisAndNothingOfAnotherTiesNeitherDown()
    {
        var net = new NetBuilder(seed: 8, side: 8);
        var x = net.Conv(NetBuilder.Image, 8);
        var first = x;
        long[][] places = [[0, 1], [8, 7], [1, 2]];
        x = net.Add("Slice", [x, .. places.Select(v => net.ConstantNode(Tensors.Of("", v, 2)))], [1, 8, 6, 8]);
        AssertPrunable(net.Build(net.Linear(net.Mean(net.Conv(net.Relu(x), 6)), 4)), first);
    }

    [Theory]
    [InlineData(11, "split", 4)]
    [InlineData(11, "split", 2)]
    [InlineData(11, "", 4)]
    [InlineData(17, "", 4)]
    [InlineData(18, "num_outputs", 4)]
    [InlineData(18, "num_outputs", 5)]
    public void PartsWhoseSizesAreNotSaidLoseTheirOwnNumberOfChannels(long opset, string attribute, long left)
    {
        var net = new NetBuilder(seed: 8, side: 8) { Opset = opset };
        var x = net.Conv(NetBuilder.Image, left == 5 ? 9 : 8);
        var right = net.Channels(x) - left;
        List<AttributeProto> attributes = [Nodes.Int("axis", 1)];
        if (attribute == "split") attributes.Add(Nodes.Ints(attribute, left, right));
        if (attribute == "num_outputs") attributes.Add(Nodes.Int(attribute, 2));
        net.Graph.Node.Add(new NodeProto { Name = "split", OpType = "Split", Input = { x }, Output = { "left", "right" }, Attribute = { attributes } });
        // The left part keeps all of its channels.
        var kept = net.Add("LpNormalization", ["left"], [1, left, 8, 8], Nodes.Int("axis", 1));
        var y = net.Add("Relu", ["right"], [1, right, 8, 8]);
        var model = net.Build(net.Linear(net.Flatten(net.GlobalPool(net.Conv(net.Concat(y, kept), 6))), 4));

        AssertPrunable(model, x);
    }

    [Fact]
    public void ChunksAsInShuffleNetV2ArePruned()
    {
        var net = new NetBuilder(seed: 8, side: 8) { Opset = 18 };
        var first = net.Conv(NetBuilder.Image, 12);
        var x = net.Relu(first);
        for (var block = 0; block < 2; block++)
        {
            var (passes, worked) = ($"passes{block}", $"worked{block}");
            net.Graph.Node.Add(new NodeProto { Name = $"split{block}", OpType = "Split", Input = { x }, Output = { passes, worked }, Attribute = { Nodes.Int("axis", 1), Nodes.Int("num_outputs", 2) } });
            var y = net.ConvNormRelu(net.Add("Identity", [worked], [1, 6, 8, 8]), 10, 1);
            x = net.Shuffle(net.Concat(net.Add("Identity", [passes], [1, 6, 8, 8]), net.ConvNormRelu(y, 6, 1)), 2);
        }

        AssertPrunable(net.Build(net.Linear(net.Flatten(net.GlobalPool(net.Conv(x, 8))), 4)), first);
    }

    // Some of the layer's channels may go, and removing them is zeroing them.
    private static void AssertPrunable(ModelProto model, string layer)
    {
        Assert.Contains(PruneGroup.Of(ChannelDependencies.Of(ModelGraph.Of(model))), g => g.Producers.Any(p => p.Node.Name == layer) && g.WhyFixed is null);
        for (var seed = 0; seed < 3; seed++) Assert.NotEqual(0, ZeroedChannels.Check(model, seed));
    }
}
