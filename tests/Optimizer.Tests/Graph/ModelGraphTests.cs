using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.TestKit;
using Onnx;
using static Onnx.TensorProto.Types.DataType;

namespace Dunlin.Optimizer.Tests.Graph;

public sealed class ModelGraphTests
{
    // What must be gone once shapes are known.
    private static readonly HashSet<string> Superfluous = ["Constant", "Identity", "Dropout", "Shape", "Gather", "Unsqueeze"];

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void ASimplifiedGraphComputesTheSame(string name)
    {
        var model = Zoo.Build(name);
        var before = model.Clone();
        var graph = ModelGraph.Of(model);

        Assert.Equal(before, model);
        GraphRun.AssertSame(model, graph.Model, 1e-6);
        Assert.DoesNotContain(graph.Nodes, n => Superfluous.Contains(n.OpType));
        Assert.Equal(graph.Nodes.Count, graph.Nodes.Select(n => n.Name).Distinct().Count());
        Assert.Equal(model.OpsetImport, graph.Model.OpsetImport);
        Assert.Equal(model.MetadataProps, graph.Model.MetadataProps);
        Assert.True(graph.Model.IrVersion >= model.IrVersion);
        if (graph.Input.HasOpenBatch) GraphRun.AssertSame(model, graph.Model, 1e-5, batch: 3);
    }

    [Fact]
    public void ABatchThatIsOpenStaysOpen() =>
        Assert.Equal(["densenet", "mobilenet-v2", "resnet-basic", "vgg"], Zoo.Names.Where(n => ModelGraph.Of(Zoo.Build(n)).Input.HasOpenBatch).Order());

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void BatchNormalizationFoldsIntoTheLayerBeforeIt(string name)
    {
        var model = Zoo.Build(name);
        var graph = ModelGraph.Of(model);
        var norms = graph.Nodes.Count(n => n.OpType == "BatchNormalization");

        var folded = BatchNormFolding.Apply(graph);

        GraphRun.AssertSame(model, graph.Model);
        // DenseNet normalizes what several layers wrote together.
        Assert.Equal(name == "densenet" ? 8 : 0, norms - folded);
        Assert.Equal(norms - folded, graph.Nodes.Count(n => n.OpType == "BatchNormalization"));
    }

    [Fact]
    public void OnnxItselfAcceptsEveryGraphBeforeAndAfter()
    {
        var models = new List<ModelProto>();
        foreach (var name in Zoo.Names)
        {
            var graph = ModelGraph.Of(Zoo.Build(name));
            models.Add(Zoo.Build(name));
            models.Add(graph.Model.Clone());
            BatchNormFolding.Apply(graph);
            models.Add(graph.Model);
        }

        var pooled = new NetBuilder(seed: 9, openBatch: true);
        models.Add(ModelGraph.Of(pooled.Build(pooled.GlobalPool(pooled.Conv(NetBuilder.Image, 5)))).Model);
        OnnxChecker.Accepts(models);
    }

    [Fact]
    public void WeightsThatTwoLayersShareAreFoldedApart()
    {
        var net = new NetBuilder(seed: 5);
        var x = net.Conv(NetBuilder.Image, 3);
        var y = net.Norm(net.Add("Conv", net.Graph.Node[0].Input.Skip(1).Prepend(x), net.ShapeOf(x), [.. net.Graph.Node[0].Attribute]));
        var model = net.Build(net.Linear(net.Mean(y), 4));
        var graph = ModelGraph.Of(model);

        Assert.Equal(1, BatchNormFolding.Apply(graph));

        GraphRun.AssertSame(model, graph.Model);
    }

    [Fact]
    public void ABiasThatTheExporterWroteOnceForTwoLayersTiesThemNot()
    {
        var net = new NetBuilder(seed: 5);
        var x = net.Conv(net.Conv(NetBuilder.Image, 8), 8);
        net.Graph.Node[1].Input[2] = net.Graph.Node[0].Input[2];
        var model = net.Build(net.Linear(net.Mean(x), 4));

        var graph = ModelGraph.Of(model);

        Assert.Equal(3, graph.Nodes.SelectMany(n => n.Input.Skip(2)).Distinct().Count());
        GraphRun.AssertSame(model, graph.Model, 1e-6);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void ScoresThatAPoolingLeavesAreBroughtIntoOneRow(bool openBatch, bool channelsLast)
    {
        var net = new NetBuilder(seed: 9, openBatch: openBatch);
        var x = net.GlobalPool(net.Conv(NetBuilder.Image, 5));
        var model = net.Build(channelsLast ? net.Transpose(x, 0, 2, 3, 1) : x);

        var graph = ModelGraph.Of(model);

        Assert.True(graph.HasFlattenedScores);
        Assert.Equal([1, 5], graph.Shapes[graph.Output]);
        Assert.Equal((model.Graph.Output[0].Name, openBatch), (graph.Output, graph.Model.Graph.Output[0].Type.TensorType.Shape.Dim[0].DimParam == "N"));
        GraphRun.AssertSame(model, graph.Model, 1e-6);
        if (openBatch) GraphRun.AssertSame(model, graph.Model, 1e-5, batch: 3);
        Assert.False(ModelGraph.Of(graph.Model).HasFlattenedScores);
    }

    [Fact]
    public void AReshapeOfPyTorchsNewExporterKeepsItsBatchOpen()
    {
        var net = new NetBuilder(seed: 9, openBatch: true);
        var x = net.GlobalPool(net.Conv(NetBuilder.Image, 5));
        var batch = net.Add("Shape", [x], [1], Nodes.Int("start", 0), Nodes.Int("end", 1));
        var shape = net.Add("Concat", [batch, net.ConstantNode(Tensors.Of("", [5L], 1))], [2], Nodes.Int("axis", 0));
        var model = net.Build(net.Linear(net.Add("Reshape", [x, shape], [1, 5], Nodes.Int("allowzero", 1)), 4));

        var graph = ModelGraph.Of(model);

        Assert.Equal(["Conv", "GlobalAveragePool", "Reshape", "Gemm"], graph.Nodes.Select(n => n.OpType));
        Assert.Equal([0L, 5], Tensors.Integers(graph.Constant(graph.Nodes[2].Input[1])!));
        Assert.Null(PruneGroup.Of(ChannelDependencies.Of(graph))[0].WhyFixed);
        GraphRun.AssertSame(model, graph.Model, 1e-6);
        GraphRun.AssertSame(model, graph.Model, 1e-5, batch: 3);
    }

    [Fact]
    public void WhatADropoutAndAMaxPoolSayBesidesIsLeftOutWhereNobodyReadsIt()
    {
        var net = new NetBuilder(seed: 6) { Opset = 9 };
        var x = net.Pool("MaxPool", net.Conv(NetBuilder.Image, 6));
        net.Graph.Node[^1].Output.Add("places");
        x = net.Unary("Dropout", x);
        net.Graph.Node[^1].Output.Add("mask");
        var model = net.Build(net.Linear(net.Mean(x), 4));

        var graph = ModelGraph.Of(model);

        Assert.Equal(["Conv", "MaxPool", "ReduceMean", "Gemm"], graph.Nodes.Select(n => n.OpType));
        Assert.All(graph.Nodes, n => Assert.Single(n.Output));
        GraphRun.AssertSame(model, graph.Model, 1e-6);
    }

    [Fact]
    public void ACastToTheTypeThatIsThereGoesAndAnyOtherStays()
    {
        var net = new NetBuilder(seed: 6, side: 8);
        var x = net.Cast(net.Cast(net.Conv(net.Cast(NetBuilder.Image, Float), 6), Float), Float);
        x = net.Binary("Mul", net.Cast(net.Binary("Greater", x, net.Constant(Tensors.Of("zeros", new float[384], net.ShapeOf(x)))), Float), x);
        var model = net.Build(net.Cast(net.Linear(net.Mean(x), 4), Float));

        var graph = ModelGraph.Of(model);

        Assert.Equal(["Conv", "Greater", "Cast", "Mul", "ReduceMean", "Gemm"], graph.Nodes.Select(n => n.OpType));
        Assert.Equal(model.Graph.Output[0].Name, graph.Output);
        GraphRun.AssertSame(model, graph.Model, 1e-6);
    }

    [Fact]
    public void AnOperatorThatNobodyHereKnowsIsPassedThrough()
    {
        var net = new NetBuilder(seed: 6);
        var x = net.Conv(NetBuilder.Image, 6);
        x = net.Add("LpNormalization", [x], net.ShapeOf(x), Nodes.Int("axis", 1));
        var model = net.Build(net.Linear(net.Mean(x), 4));

        var graph = ModelGraph.Of(model);

        Assert.Equal(model.Graph.Node, graph.Nodes);
        Assert.Equal([1, 6, 32, 32], graph.Shapes[x]);
    }

    [Fact]
    public void QuantizedWeightsStayIntegers()
    {
        var net = new NetBuilder(seed: 7);
        net.Graph.Initializer.Add(Tensors.Of("q", new sbyte[] { 1, -2, 3 }, 1, 3, 1, 1));
        net.Graph.Initializer.Add(Tensors.Of("scale", [0.1f]));
        var w = net.Add("DequantizeLinear", ["q", "scale"], [1, 3, 1, 1]);
        var model = net.Build(net.Add("Conv", [NetBuilder.Image, w], [1, 1, 32, 32]));

        Assert.Contains(ModelGraph.Of(model).Nodes, n => n.OpType == "DequantizeLinear");
    }

    [Fact]
    public void MobileNetV2AsItIsDownloadedComputesTheSame()
    {
        var path = RepositoryFolder.FindShared("data/imagenet/mobilenet_v2.onnx");
        if (path is null) Assert.Skip("shared/data/imagenet with MobileNetV2 is not on this machine.");
        var graph = ModelGraph.Load(path);

        GraphRun.AssertSame(ModelFile.Load(path), graph.Model, 1e-5);
        Assert.Equal([1, 1001], graph.Shapes[graph.Output]);
    }
}
