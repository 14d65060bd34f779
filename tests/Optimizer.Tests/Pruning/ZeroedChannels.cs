using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Tests.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Pruning;

/// <summary>The proof by which pruning is judged: removing channels is the same as setting everything to zero that belongs to them.</summary>
internal static class ZeroedChannels
{
    /// <summary>Removes half of every group by chance, from one copy by zeroing and from another by cutting, and compares what they compute.</summary>
    /// <returns>How many units were removed.</returns>
    public static int Check(ModelProto model, int seed)
    {
        var zeroed = ModelGraph.Of(model);
        var removed = RandomUnits(ChannelDependencies.Of(zeroed), new Random(seed));
        Zero(ChannelDependencies.Of(zeroed), removed);
        var cut = ModelGraph.Of(model);
        ChannelRemoval.Apply(ChannelDependencies.Of(cut), removed);

        // Groups upon groups may tie all channels of a layer to one another; then there is nothing to remove.
        if (removed.Count > 0) Assert.True(GraphFacts.Of(cut).ParameterCount < GraphFacts.Of(zeroed).ParameterCount);
        GraphRun.AssertSame(zeroed.Model, cut.Model);
        return removed.Count;
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
