using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Training.Execution;
using Onnx;
using static Dunlin.Optimizer.Tests.Training.TorchComparison;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class GraphNetworkTests
{
    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void TorchComputesWhatOnnxRuntimeDoesForOneImageAndForSeveral(string name)
    {
        Torch.Require();
        AssertSame(Zoo.Build(name));
    }

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void EveryWeightHasAGradient(string name)
    {
        Torch.Require();
        var model = Zoo.Build(name);
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph);
        network.train();
        using var image = Images(model, graph, batch: 4);
        using var loss = nn.functional.cross_entropy(network.Logits(image), tensor(new long[] { 1, 2, 3, 4 }));
        loss.backward();

        Assert.Equal(GraphFacts.Of(graph).ParameterCount, network.Weights.Values.Sum(w => w.numel()));
        // Before batch normalization a bias changes nothing; there is none here.
        Assert.All(network.Weights, w => Assert.True(w.Value.grad!.abs().sum().item<float>() > 0, w.Key));
    }

    [Fact]
    public void TheNumbersOfAnActivationStayAndTheBiasThatIsAddedIsTrained()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 5, side: 8);
        var (three, sixth) = (net.Constant(Tensors.Of("three", [3f])), net.Constant(Tensors.Of("sixth", [1 / 6f])));
        var x = NetBuilder.Image;
        for (var layer = 0; layer < 2; layer++)
        {
            x = net.Conv(x, 6, bias: false);
            x = net.Add("Mul", [x, net.Add("Mul", [net.Relu6(net.Add("Add", [x, three], net.ShapeOf(x))), sixth], net.ShapeOf(x))], net.ShapeOf(x));
        }

        var model = net.Build(net.Dense(net.Mean(x), 4));
        AssertSame(model);
        using var network = new GraphNetwork(ModelGraph.Of(model));

        Assert.Equal(model.Graph.Initializer.Select(i => i.Name).Except([three, sixth]).Order(), network.Weights.Keys.Order());
    }

    [Fact]
    public void WhatWasTrainedIsWrittenBack()
    {
        Torch.Require();
        var model = Zoo.Build("mobilenet-v3");
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph);
        using (no_grad())
            foreach (var weight in network.Weights.Values) weight.mul_(Scalars.Of(1.1));
        foreach (var (name, weight) in network.Weights) graph.SetConstant(Tensors.Of(name, weight.data<float>().ToArray(), weight.shape));

        using var run = new GraphRun(graph.Model);
        network.eval();
        var image = GraphRun.Noise(model, 3);
        using var scores = network.forward(tensor(image, [.. graph.Input.Shape]));
        AssertClose(scores.data<float>().ToArray(), run.Scores(image));
    }

    public static TheoryData<string, long[], string, bool, bool> Windows => new()
    {
        { "Conv", [0, 1, 2, 3], "NOTSET", false, false },
        { "Conv", [0, 0, 0, 0], "SAME_UPPER", false, false },
        { "Conv", [0, 0, 0, 0], "SAME_LOWER", false, false },
        { "Conv", [0, 0, 0, 0], "VALID", false, false },
        { "MaxPool", [0, 0, 1, 1], "NOTSET", false, false },
        { "MaxPool", [0, 0, 0, 0], "NOTSET", true, false },
        { "MaxPool", [0, 0, 0, 0], "SAME_UPPER", false, false },
        { "AveragePool", [1, 1, 1, 1], "NOTSET", false, false },
        { "AveragePool", [1, 1, 1, 1], "NOTSET", false, true },
        { "AveragePool", [0, 1, 1, 0], "NOTSET", false, false },
        { "AveragePool", [0, 1, 1, 0], "NOTSET", false, true },
        { "AveragePool", [1, 1, 1, 1], "NOTSET", true, false },
        { "AveragePool", [0, 0, 0, 0], "SAME_LOWER", false, false },
    };

    [Theory]
    [MemberData(nameof(Windows))]
    public void WindowsLieWhereOnnxPutsThem(string operation, long[] pads, string rule, bool ceil, bool counts)
    {
        Torch.Require();
        var net = new NetBuilder(seed: 4, side: 14);
        List<AttributeProto> attributes = [Nodes.Ints("kernel_shape", 3, 3), Nodes.Ints("strides", 2, 2)];
        if (rule == "NOTSET") attributes.Add(Nodes.Ints("pads", pads));
        else attributes.Add(new AttributeProto { Name = "auto_pad", Type = AttributeProto.Types.AttributeType.String, S = Google.Protobuf.ByteString.CopyFromUtf8(rule) });
        if (ceil) attributes.Add(Nodes.Int("ceil_mode", 1));
        if (counts) attributes.Add(Nodes.Int("count_include_pad", 1));
        string[] inputs = operation == "Conv" ? [NetBuilder.Image, net.Weights("w", 0.5, 3, 3, 3, 3)] : [NetBuilder.Image];
        var x = net.Add(operation, inputs, [1, 3, 7, 7], [.. attributes]);
        var model = net.Build(net.Add("ReduceMax", [net.Transpose(x, 0, 2, 3, 1)], [1, 7, 7], Nodes.Ints("axes", 3), Nodes.Int("keepdims", 0)));
        model.Graph.Output[0].Type.TensorType.Shape = null;

        AssertSame(model);
    }

    [Fact]
    public void AStridedConvolutionOfOnePixelAndFewChannelsHasItsGradient()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 5, side: 14);
        var x = net.Add("Conv", [NetBuilder.Image, net.Weights("w", 0.5, 8, 3, 1, 1)], [1, 8, 7, 7], Nodes.Ints("kernel_shape", 1, 1), Nodes.Ints("strides", 2, 2));
        var model = net.Build(net.Mean(x));
        model.Graph.Output[0].Type.TensorType.Shape = null;
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph);
        network.train();
        using var images = Images(model, graph, batch: 32);
        // The sum of all means: each weight's gradient is the sum of its channel's means.
        using var expected = images.slice(2, 0, 14, 2).slice(3, 0, 14, 2).mean([2, 3]).sum(dim: 0);
        var weight = Assert.Single(network.Weights.Values);
        for (var round = 0; round < 20; round++)
        {
            using var sum = network.forward(images).sum();
            weight.grad?.zero_();
            sum.backward();
            foreach (var row in weight.grad!.reshape(8, 3).unbind(0)) AssertClose(row.data<float>().ToArray(), expected.data<float>().ToArray());
        }
    }

    [Fact]
    public void AConvolutionOfOnePixelAndManyChannelsHasItsGradient()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 5, side: 4);
        var wide = net.Add("Conv", [NetBuilder.Image, net.Weights("widen", 0.5, 256, 3, 1, 1)], [1, 256, 4, 4], Nodes.Ints("kernel_shape", 1, 1));
        var wider = net.Add("Conv", [wide, net.Weights("w", 0.5, 1024, 256, 1, 1)], [1, 1024, 4, 4], Nodes.Ints("kernel_shape", 1, 1));
        var model = net.Build(net.Mean(wider));
        model.Graph.Output[0].Type.TensorType.Shape = null;
        AssertSame(model);
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph);
        network.train();
        using var images = Images(model, graph, batch: 128);

        using var sum = network.forward(images).sum();
        sum.backward();

        var (first, second) = (network.Weights.Values.First(), network.Weights.Values.Last());
        using var expected = images.mean([2, 3]).matmul(first.flatten(1).t()).sum(dim: 0);
        foreach (var row in second.grad!.flatten(1).unbind(0)) AssertClose(row.data<float>().ToArray(), expected.data<float>().ToArray());
    }

    [Fact]
    public void OperatorsOfOtherExportersComputeTheSame()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 4, side: 8);
        var x = net.Conv(NetBuilder.Image, 8);
        foreach (var operation in new[] { "LeakyRelu", "Elu", "Softplus", "Erf", "Abs", "Tanh" }) x = net.Binary("Add", x, net.Unary(operation, x));
        x = net.Add("PRelu", [x, net.Weights("slope", 0.5, 8, 1, 1)], net.ShapeOf(x));
        x = net.Add("InstanceNormalization", [x, net.Weights("gain", 1, 8), net.Weights("offset", 1, 8)], net.ShapeOf(x));
        x = net.Add("Pow", [net.Unary("Sqrt", net.Unary("Abs", x)), net.Constant(Tensors.Of("power", new[] { 1.5f }))], net.ShapeOf(x));
        x = net.Add("Slice", [x, .. Numbers(net, "slice", [1, -3], [7, 99], [1, 3])], [1, 6, 8, 3]);
        net.Graph.Node.Add(new NodeProto { Name = "split", OpType = "Split", Input = { x, net.Constant(Tensors.Of("sizes", [2L, 4], 2)) }, Output = { "left", "right" }, Attribute = { Nodes.Int("axis", 1) } });
        var y = net.Add("Concat", ["right", "left"], [1, 6, 8, 3], Nodes.Int("axis", 1));
        y = net.Add("Pad", [y, net.Constant(Tensors.Of("pads", [0L, 1, 0, 2, 0, 0, 1, 0], 8)), net.Constant(Tensors.Of("fill", new[] { 0.25f }))], [1, 7, 9, 5]);
        y = net.Add("Max", [y, net.Add("Div", [y, net.Constant(Tensors.Of("two", new[] { 2f }))], [1, 7, 9, 5])], [1, 7, 9, 5]);
        AssertSame(net.Build(net.Unary("LogSoftmax", net.Linear(net.Add("GlobalMaxPool", [net.Transpose(y, 0, 3, 1, 2)], [1, 5, 1, 1]) is var pooled ? net.Flatten(pooled) : "", 4))));
    }

    [Fact]
    public void ProductsOfActivationsAsInAttentionComputeTheSame()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8);
        string Heads(string x) => net.Reshape(net.Conv(x, 6), 1, 2, 3, 64);
        var scores = net.Add("MatMul", [net.Transpose(Heads(NetBuilder.Image), 0, 1, 3, 2), Heads(NetBuilder.Image)], [1, 2, 64, 64]);
        var x = net.Add("MatMul", [Heads(NetBuilder.Image), net.Unary("Softmax", scores, Nodes.Int("axis", -1))], [1, 2, 3, 64]);
        x = net.Add("MatMul", [x, net.Weights("w", 0.3, 64, 5)], [1, 2, 3, 5]);
        AssertSame(net.Build(net.Linear(net.Flatten(x), 4)));
    }

    [Fact]
    public void AConstantThatIsJoinedWithTheImagesIsJoinedWithEach()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8);
        var places = net.Weights("places", 1, 1, 2, 8, 8);
        AssertSame(net.Build(net.Linear(net.Mean(net.Relu(net.Conv(net.Concat(NetBuilder.Image, places), 6))), 4)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void APowerThatIsAWholeNumberComputesTheSame(bool isPerChannel)
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8);
        var x = net.Conv(NetBuilder.Image, 3);
        var powers = isPerChannel ? Tensors.Of("powers", [1L, 2, 3], 3, 1, 1) : Tensors.Of("powers", [2]);
        AssertSame(net.Build(net.Linear(net.Mean(net.Add("Pow", [x, net.Constant(powers)], net.ShapeOf(x))), 4)));
    }

    [Theory]
    [InlineData("Softmax", "Reshape")]
    [InlineData("LogSoftmax", "Squeeze")]
    [InlineData("Sigmoid", "Flatten")]
    public void LogitsAreThoseBeforeAnActivationThatOnlyAnotherShapeFollows(string activation, string shape)
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8);
        var logits = net.GlobalPool(net.Conv(NetBuilder.Image, 4));
        var x = activation == "Sigmoid" ? net.Unary(activation, logits) : net.Unary(activation, logits, Nodes.Int("axis", 1));
        x = shape switch
        {
            "Reshape" => net.Reshape(x, 1, 4),
            "Squeeze" => net.Add("Squeeze", [x, net.Constant(Tensors.Of("axes", [2L, 3], 2))], [1, 4]),
            _ => net.Flatten(x),
        };
        var model = net.Build(x);
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph);
        using var images = Images(model, graph, batch: 3);
        using var actual = network.Logits(images);
        model.Graph.Output[0] = Nodes.FloatValue(logits, 1, 4, 1, 1);
        using var run = new GraphRun(model);

        Assert.Equal([3, 4], actual.shape);
        AssertClose(actual.data<float>().ToArray(), [.. images.data<float>().ToArray().Chunk((int)images.numel() / 3).SelectMany(run.Scores)]);
    }

    [Fact]
    public void AnOldSoftmaxOverPooledChannelsComputesTheSame()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8) { Opset = 9 };
        AssertSame(net.Build(net.Unary("Softmax", net.GlobalPool(net.Conv(NetBuilder.Image, 4)), Nodes.Int("axis", 1))));
    }

    [Fact]
    public void ChannelsThatArePickedAndScaledOneByOneAsInInceptionComputeTheSame()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8);
        var planes = new List<string>();
        foreach (var (channel, scale) in new[] { (0L, 0.9f), (1L, 1.1f), (-1L, 1.2f) })
        {
            var x = net.Add("Gather", [NetBuilder.Image, net.ConstantNode(Tensors.Of("", [channel]))], [1, 8, 8], Nodes.Int("axis", 1));
            x = net.Add("Unsqueeze", [x, net.ConstantNode(Tensors.Of("", [1L], 1))], [1, 1, 8, 8]);
            x = net.Add("Mul", [x, net.ConstantNode(Tensors.Of("", [scale]))], [1, 1, 8, 8]);
            planes.Add(net.Add("Add", [x, net.ConstantNode(Tensors.Of("", [scale - 1]))], [1, 1, 8, 8]));
        }

        var y = net.Conv(net.Concat([.. planes]), 6);
        y = net.Add("Gather", [y, net.ConstantNode(Tensors.Of("", [4L, -6, 1, 1], 2, 2))], [1, 2, 2, 8, 8], Nodes.Int("axis", 1));
        AssertSame(net.Build(net.Linear(net.Flatten(y), 4)));
    }

    [Fact]
    public void ACastToFloatPassesItsInputOnAndAnyOtherCannotBeTrained()
    {
        Torch.Require();
        var net = new NetBuilder(seed: 6, side: 8);
        var x = net.Conv(NetBuilder.Image, 6);
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Mean(net.Relu(x)), 4)));
        using var images = Images(graph.Model, graph, batch: 2);
        using var before = Scores(graph, images);
        var cast = Nodes.Make("Cast", [x], "cast", Nodes.Int("to", (long)TensorProto.Types.DataType.Float));
        graph.Model.Graph.Node.Insert(1, cast);
        graph.Nodes[2].Input[0] = "cast";
        graph.Changed();
        using var after = Scores(graph, images);

        Assert.Equal(before.data<float>().ToArray(), after.data<float>().ToArray());
        cast.Attribute[0].I = (long)TensorProto.Types.DataType.Float16;
        Assert.Contains("(Cast) cannot be trained", Assert.Throws<InvalidDataException>(() => new GraphNetwork(graph)).Message);

        static Tensor Scores(ModelGraph graph, Tensor images)
        {
            using var network = new GraphNetwork(graph);
            return network.forward(images);
        }
    }

    private static IEnumerable<string> Numbers(NetBuilder net, string name, params long[][] values) =>
        values.Select((v, i) => net.Constant(Tensors.Of($"{name}{i}", v, v.Length)));
}
