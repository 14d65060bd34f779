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
        for (var seed = 0; seed < 3; seed++) Assert.NotEqual(0, ZeroedChannels.Check(Zoo.Build(name), seed));
    }

    [Fact]
    public void ItHoldsForNetworksThatNobodyDrew()
    {
        var (losing, all) = (0, 0);
        Gen.Int[0, 1_000_000].Sample(
            seed =>
            {
                if (ZeroedChannels.Check(RandomNet.Of(seed), seed) > 0) losing++;
                all++;
            },
            threads: 1);
        // Where nothing may go nothing is proven.
        Assert.InRange(losing, 0.8 * all, all);
    }

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
}
