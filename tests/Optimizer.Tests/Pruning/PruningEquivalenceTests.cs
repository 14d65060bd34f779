using CsCheck;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Pruning;

/// <summary>Removing channels is the same as setting everything to zero that belongs to them.</summary>
public sealed class PruningEquivalenceTests
{
    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void RemovingAnyHalfOfTheChannelsIsZeroingThem(string name)
    {
        for (var seed = 0; seed < 3; seed++) Check(Zoo.Build(name), seed);
    }

    [Fact]
    public void ItHoldsForNetworksThatNobodyDrew() =>
        Gen.Int[0, 1_000_000].Sample(seed => Check(RandomNet.Of(seed), seed), iter: 60, threads: 1);

    [Fact]
    public void OnnxItselfAcceptsWhatIsLeft()
    {
        var models = new List<ModelProto>();
        foreach (var model in Zoo.Names.Select(name => Zoo.Build(name)).Concat(Enumerable.Range(0, 10).Select(RandomNet.Of)))
        {
            var graph = ModelGraph.Of(model);
            Pruner.Prune(graph, MagnitudeImportance.L1, new PruningOptions(0.5, PruningScope.Layer, Step: 1));
            models.Add(graph.Model);
        }

        OnnxChecker.Accepts(models);
    }

    private static void Check(ModelProto model, int seed)
    {
        var zeroed = ModelGraph.Of(model);
        var removed = RandomUnits(ChannelDependencies.Of(zeroed), new Random(seed));
        Zero(ChannelDependencies.Of(zeroed), removed);
        var cut = ModelGraph.Of(model);
        ChannelRemoval.Apply(ChannelDependencies.Of(cut), removed);

        Assert.True(GraphFacts.Of(cut).ParameterCount < GraphFacts.Of(zeroed).ParameterCount);
        GraphRun.AssertSame(zeroed.Model, cut.Model);
    }

    // Labels are given in the order of the graph, so that the same unit has the same number each time.
    private static HashSet<int> RandomUnits(ChannelDependencies dependencies, Random random)
    {
        var removed = new HashSet<int>();
        foreach (var group in PruneGroup.Of(dependencies).Where(g => g.WhyFixed is null))
        {
            var units = group.Units.ToArray();
            random.Shuffle(units);
            removed.UnionWith(units.Take(units.Length / 2));
        }

        return removed;
    }

    private static void Zero(ChannelDependencies dependencies, HashSet<int> removed)
    {
        foreach (var tensor in dependencies.Graph.Model.Graph.Initializer.Where(Tensors.IsFloat).ToList())
        {
            for (var axis = 0; axis < tensor.Dims.Count; axis++)
            {
                if (dependencies.Units.TryAlong(tensor.Name, axis) is not { } labels) continue;
                var slice = new WeightSlice(tensor, axis, labels);
                var values = Tensors.Floats(tensor);
                for (var i = 0; i < values.Length; i++)
                    if (removed.Contains(dependencies.Units.UnitOf(labels[i / slice.Stride % labels.Length]))) values[i] = 0;
                tensor.RawData = Tensors.Of("", values).RawData;
            }
        }

        dependencies.Graph.Changed();
    }
}
