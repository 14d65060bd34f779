using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.TestKit;

namespace Dunlin.Optimizer.Tests.Pruning;

public sealed class PrunerTests
{
    private static readonly PruningOptions Half = new(0.5, PruningScope.Layer, Step: 1);

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void EveryShapeOfNetworkLosesParametersAndOperationsAndKeepsItsEnds(string name)
    {
        foreach (var scope in Enum.GetValues<PruningScope>())
        {
            var model = Zoo.Build(name);
            var graph = ModelGraph.Of(model);
            var before = GraphFacts.Of(graph);
            Pruner.Prune(graph, MagnitudeImportance.L2, Half with { Scope = scope });
            var after = GraphFacts.Of(graph);

            Assert.InRange((double)after.ParameterCount / before.ParameterCount, 0.15, 0.75);
            Assert.InRange((double)after.Macs / before.Macs, 0.1, 0.75);
            Assert.Equal(model.Graph.Input[0], graph.Model.Graph.Input[0]);
            Assert.Equal(model.Graph.Output[0], graph.Model.Graph.Output[0]);
            using var run = new GraphRun(graph.Model);
            Assert.Equal(Zoo.Classes, run.Scores(GraphRun.Noise(model, 1)).Length);
        }
    }

    [Fact]
    public void AllLayersOfAResidualStageLoseTheSameChannels()
    {
        var dependencies = ChannelDependencies.Of(ModelGraph.Of(Zoo.Build("resnet-basic")));
        // The stem, the second convolutions of two blocks without projection.
        Assert.Contains(PruneGroup.Of(dependencies), g => g.Producers.Count == 3 && g.Units.Count == 8 && g.WhyFixed is null);
    }

    [Fact]
    public void ChannelsThatDoNothingGoFirst()
    {
        var model = Zoo.Build("vgg");
        var weights = model.Graph.Initializer.First();
        var values = Tensors.Floats(weights);
        var size = values.Length / (int)weights.Dims[0];
        // Channels 1 and 6 of eight are nearly dead.
        foreach (var dead in new[] { 1, 6 })
            for (var i = 0; i < size; i++) values[dead * size + i] *= 1e-4f;
        weights.RawData = Tensors.Of("", values).RawData;
        foreach (var importance in new Func<ChannelDependencies, Importance>[] { MagnitudeImportance.L1, MagnitudeImportance.L2 })
        {
            var graph = ModelGraph.Of(model);
            Pruner.Prune(graph, importance, new PruningOptions(0.25, PruningScope.Layer, Step: 1));

            var kept = Tensors.Floats(graph.Constant(weights.Name)!);
            Assert.Equal(values.Chunk(size).Where((_, channel) => channel is not (1 or 6)).SelectMany(c => c), kept);
        }
    }

    [Fact]
    public void AGlobalRankingTakesMoreWhereMoreIsUseless()
    {
        var model = Zoo.Build("vgg");
        var weights = model.Graph.Initializer.Where(i => i.Dims.Count == 4).ToList();
        // Half of the third layer's filters hardly count.
        var values = Tensors.Floats(weights[2]);
        for (var i = 0; i < values.Length / 2; i++) values[i] *= 1e-3f;
        weights[2].RawData = Tensors.Of("", values).RawData;
        var graph = ModelGraph.Of(model);

        var plan = Pruner.Prune(graph, MagnitudeImportance.L2, new PruningOptions(0.1, PruningScope.Global, Step: 1));

        var shares = plan.Groups.Select(g => (double)g.KeptCount / g.ChannelCount).ToList();
        Assert.True(shares[2] <= 0.7 && shares.Where((_, i) => i != 2).Average() > 0.9, string.Join(", ", shares));
    }

    [Fact]
    public void ATenthOfWhatThereWasStaysHoweverManyRounds()
    {
        var net = new NetBuilder(seed: 8, side: 8);
        var useless = net.Conv(NetBuilder.Image, 60);
        // Two groups of one layer, beside others that are all of use.
        var x = net.Concat(net.Conv(net.Slice(useless, 1, 0, 40), 6), net.Slice(useless, 1, 40, 60), net.Conv(NetBuilder.Image, 200));
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Mean(x), 4)));
        var options = new PruningOptions(0.5, PruningScope.Global, Step: 1, Rounds: 3);
        var plans = new List<PruningPlan>();
        for (var round = 0; round < options.Rounds; round++)
            plans.Add(Pruner.Prune(graph, _ => group => [.. group.Units.Select((_, i) => group.Name == useless ? 0.0 : 1 + i)], options, plans.FirstOrDefault()));

        Assert.All(plans, plan => Assert.Equal([4, 2], plan.Groups.Where(g => g.Group.Name == useless).Select(g => g.KeptCount)));
    }

    [Theory]
    [InlineData(45, 64, 16, 48)]
    [InlineData(39, 64, 16, 32)]
    [InlineData(3, 64, 16, 16)]
    [InlineData(17, 24, 16, 16)]
    [InlineData(23, 25, 16, 24)]
    [InlineData(5, 8, 16, 4)]
    [InlineData(2, 3, 16, 2)]
    [InlineData(50, 50, 16, 48)]
    [InlineData(7.4, 10, 1, 7)]
    public void WidthsAreRoundedToTheKernelsSteps(double wanted, int width, int step, int expected) => Assert.Equal(expected, WidthSteps.Round(wanted, width, step));

    [Fact]
    public void WhereKernelsStepEveryWidthIsAMultiple()
    {
        var net = new NetBuilder(seed: 2);
        var x = net.Relu(net.Conv(net.Relu(net.Conv(NetBuilder.Image, 64)), 80));
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Mean(x), 10)));
        var plan = Pruner.Prune(graph, MagnitudeImportance.L2, new PruningOptions(0.4, PruningScope.Layer, Step: 16));
        Assert.Equal([32, 48], plan.Groups.Select(g => g.KeptCount));
    }

    [Fact]
    public void TheStaircaseOfTheKernelsIsFound()
    {
        var widths = Enumerable.Range(9, 16).Select(i => i * 4).ToList();
        var random = new Random(1);
        foreach (var step in new[] { 4, 8, 16, 32 })
            Assert.Equal(step, KernelSteps.BestFit(widths, [.. widths.Select(w => 0.3 + (w + step - 1) / step * step * 0.01 + random.NextDouble() * 0.003)]));
    }

    [Fact]
    public void TheStepOfThisCpuIsMeasuredOnceAndADamagedOneAnew()
    {
        var folder = Directory.CreateTempSubdirectory("dunlin-kernels").FullName;
        try
        {
            var step = KernelSteps.OfThisCpu(folder, TestContext.Current.CancellationToken);
            var file = Assert.Single(Directory.GetFiles(folder));
            Assert.Equal($"{step}", File.ReadAllText(file));
            // What is there is taken: another number than was measured.
            var other = step == 4 ? 8 : 4;
            File.WriteAllText(file, $"{other}");
            Assert.Equal(other, KernelSteps.OfThisCpu(folder, TestContext.Current.CancellationToken));
            File.WriteAllText(file, "7000");
            Assert.Contains(KernelSteps.OfThisCpu(folder, TestContext.Current.CancellationToken), new[] { 4, 8, 16, 32 });
            Assert.NotEqual("7000", File.ReadAllText(file));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void AnUnknownOperatorTiesDownWhatItTouchesAndSaysSo()
    {
        var net = new NetBuilder(seed: 6);
        var x = net.Conv(net.Relu(net.Conv(NetBuilder.Image, 8)), 8);
        x = net.Add("LpNormalization", [x], net.ShapeOf(x), Nodes.Int("axis", 1));
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Mean(x), 4)));
        var reasons = PruneGroup.Of(ChannelDependencies.Of(graph)).Select(g => g.WhyFixed).ToList();

        Assert.Null(reasons[0]);
        Assert.Contains("(LpNormalization) needs all of them", reasons[1]);
        Pruner.Prune(graph, MagnitudeImportance.L2, Half);
        Assert.Equal([8, 4, 3, 3], graph.Constant(graph.Nodes[2].Input[1])!.Dims);
    }

    [Fact]
    public void AReaderOfASliceKeepsAChannel()
    {
        var net = new NetBuilder(seed: 8);
        var x = net.Conv(NetBuilder.Image, 8);
        var model = net.Build(net.Linear(net.Mean(net.Concat(net.Conv(net.Slice(x, 1, 0, 4), 4), net.Slice(x, 1, 4, 8))), 4));
        // By size the whole first half would go.
        var values = Tensors.Floats(model.Graph.Initializer[0]);
        for (var i = 0; i < values.Length / 2; i++) values[i] *= 1e-3f;
        model.Graph.Initializer[0].RawData = Tensors.Of("", values).RawData;
        var graph = ModelGraph.Of(model);

        var plan = Pruner.Prune(graph, MagnitudeImportance.L2, Half with { Ratio = 0.8 });

        Assert.All(plan.Groups, g => Assert.InRange(g.KeptCount, 1, g.ChannelCount - 1));
    }

    [Theory]
    [InlineData(1, true)]
    [InlineData(-1, false)]
    public void WhatASliceTurnsRoundKeepsItsPlaces(long axis, bool isFixed)
    {
        var net = new NetBuilder(seed: 8);
        var x = net.Conv(NetBuilder.Image, 8);
        long[] backwards = [-1, long.MinValue, axis, -1];
        x = net.Add("Slice", [x, .. backwards.Select(v => net.ConstantNode(Tensors.Of("", [v], 1)))], net.ShapeOf(x));
        var model = net.Build(net.Linear(net.Mean(net.Relu(net.Conv(x, 6))), 4));

        var reason = PruneGroup.Of(ChannelDependencies.Of(ModelGraph.Of(model)))[0].WhyFixed;

        Assert.Equal(isFixed, reason?.Contains("(Slice) needs all of them", StringComparison.Ordinal) == true);
        Assert.NotEqual(0, ZeroedChannels.Check(model, seed: 3));
    }

    [Fact]
    public void WhereNothingMayGoItSaysWhy()
    {
        var net = new NetBuilder(seed: 6);
        var graph = ModelGraph.Of(net.Build(net.Linear(net.Flatten(NetBuilder.Image), 4)));
        Assert.Contains("classes", Assert.Throws<InvalidDataException>(() => Pruner.Prune(graph, MagnitudeImportance.L2, Half)).Message);
    }

    [Fact]
    public void AQuantizedModelIsNotPruned()
    {
        var graph = Zoo.Build("vgg");
        graph.Graph.Node.Insert(1, Nodes.Make("QuantizeLinear", [graph.Graph.Node[0].Output[0], "scale"], "q"));
        graph.Graph.Node.Insert(2, Nodes.Make("DequantizeLinear", ["q", "scale"], "dq"));
        graph.Graph.Initializer.Add(Tensors.Of("scale", [0.1f]));
        graph.Graph.Node[3].Input[0] = "dq";
        Assert.Contains("quantized already", Assert.Throws<InvalidDataException>(() => Pruner.Prune(ModelGraph.Of(graph), MagnitudeImportance.L2, Half)).Message);
    }

    [Fact]
    public void MobileNetV2LosesAThirdAndStillRuns()
    {
        var path = RepositoryFolder.FindShared("data/imagenet/mobilenet_v2.onnx");
        if (path is null) Assert.Skip("shared/data/imagenet with MobileNetV2 is not on this machine.");
        var graph = ModelGraph.Load(path);
        var before = GraphFacts.Of(graph);
        Pruner.Prune(graph, MagnitudeImportance.L2, new PruningOptions(0.3, PruningScope.Layer, Step: 8));
        var after = GraphFacts.Of(graph);

        Assert.InRange((double)after.Macs / before.Macs, 0.35, 0.7);
        OnnxChecker.Accepts(graph.Model);
    }
}
