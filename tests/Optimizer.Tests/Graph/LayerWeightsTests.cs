using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>A bias of 1×12 is what one of 12 is, and so are slopes.</summary>
public sealed class LayerWeightsTests
{
    private static readonly string[] Added = ["b", "slope"];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void WhichChannelsMatterDoesNotDependOnTheShapeOfABiasOrASlope()
    {
        Torch.Require();
        using var images = Stripes.Pixels(48);
        foreach (var importance in (Func<ChannelDependencies, Importance>[])[MagnitudeImportance.L1, MagnitudeImportance.L2, d => TaylorImportance.Measure(d, images, Stop)])
            foreach (var (flat, row) in Scores(importance).Zip(Scores(importance, 1))) Assert.Equal(flat, row, 1e-6 * flat);

        static double[] Scores(Func<ChannelDependencies, Importance> importance, params long[] before)
        {
            var dependencies = ChannelDependencies.Of(Net(before));
            return importance(dependencies)(PruneGroup.Of(dependencies).Single(g => g.Units.Count == 12));
        }
    }

    [Fact]
    public void ABiasAndASlopeOfAnyShapeDoNotDecay()
    {
        Torch.Require();
        using var images = Stripes.Pixels(48);
        foreach (var (flat, row) in Trained().Zip(Trained(1))) Assert.Equal(flat, row, 1e-5f);

        float[] Trained(params long[] before)
        {
            var graph = Net(before);
            new Trainer(images, new TrainingOptions { StepCount = 4, BatchSize = 16, LearningRate = 0.1, WeightDecay = 1 }) { ThreadCount = 1 }.Run(graph, Stop);
            return [.. graph.Model.Graph.Initializer.Where(t => Added.Any(a => t.Name.StartsWith(a, StringComparison.Ordinal)) && t.Dims[^1] == 12).OrderBy(t => t.Name).SelectMany(Tensors.Floats)];
        }
    }

    private static ModelGraph Net(params long[] before)
    {
        var net = new NetBuilder(seed: 3, channels: 1, side: Stripes.Side);
        var x = net.Mean(net.Relu(net.Conv(NetBuilder.Image, 8, stride: 4)));
        x = net.Add("MatMul", [x, net.Weights("w", 1, 8, 12)], [1, 12]);
        x = net.Add("Add", [x, net.Weights("b", 1, [.. before, 12])], [1, 12]);
        x = net.Add("PRelu", [x, net.Weights("slope", 0.5, [.. before, 12])], [1, 12]);
        return ModelGraph.Of(net.Build(net.Linear(x, Stripes.ClassNames.Count)));
    }
}
