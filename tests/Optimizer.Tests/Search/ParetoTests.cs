using CsCheck;
using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Tests.Search;

public sealed class ParetoTests
{
    // Few values, so that ties come up.
    private static readonly Gen<List<(int Id, double[] Costs)>> Items =
        Gen.Int[0, 5].Select(i => (double)i).Array[3].List[1, 30].Select(costs => costs.Select((c, i) => (i, c)).ToList());

    [Fact]
    public void NothingInAFrontIsDominatedAndAllElseIs() => Items.Sample(items =>
    {
        var front = Pareto.Front(items, i => i.Costs);
        foreach (var item in items)
            Assert.Equal(front.Contains(item), !items.Any(other => Pareto.Dominates(other.Costs, item.Costs)));
    });

    [Fact]
    public void LayersHoldEachItemOnceAndNoneIsDominatedByALaterOne() => Items.Sample(items =>
    {
        var layers = Pareto.Layers(items, i => i.Costs).ToList();
        Assert.Equal(items.Select(i => i.Id), layers.SelectMany(l => l).Select(i => i.Id).Order());
        for (var l = 0; l < layers.Count; l++)
            Assert.All(layers[l], item => Assert.DoesNotContain(layers.Skip(l + 1).SelectMany(x => x), later => Pareto.Dominates(later.Costs, item.Costs)));
    });

    [Fact]
    public void ASpreadKeepsBothEnds() => Gen.Select(Gen.Double[0, 1].HashSet[3, 20], Gen.Int[2, 20]).Sample((places, count) =>
    {
        var spread = Pareto.Spread([.. places], p => p, count);
        Assert.Equal(Math.Min(count, places.Count), spread.Count);
        Assert.Equal((places.Min(), places.Max()), (spread[0], spread[^1]));
    });

    [Fact]
    public void ASpreadDropsWhatLiesBesideAnother() => Assert.Equal([0, 5, 10], Pareto.Spread([0, 5, 0.1, 4.9, 10], p => p, 3));
}
