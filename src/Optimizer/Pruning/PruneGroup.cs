namespace Dunlin.Optimizer.Pruning;

/// <summary>Channels that the same layers make: any number of them may go, each from all of these layers at once.</summary>
/// <param name="Name">Of the first of these layers.</param>
/// <param name="Producers">The layers.</param>
/// <param name="Units">What is removed as a whole: a channel, or as many as a grouped convolution has groups.</param>
/// <param name="WhyFixed">Why nothing of it may go; null if it may.</param>
internal sealed record PruneGroup(string Name, IReadOnlyList<ChannelProducer> Producers, IReadOnlyList<int> Units, string? WhyFixed)
{
    /// <summary>All groups of a graph, in its order; the parts of a layer that are tied to different others form groups of their own.</summary>
    public static IReadOnlyList<PruneGroup> Of(ChannelDependencies dependencies)
    {
        var makers = new Dictionary<int, List<int>>();
        for (var p = 0; p < dependencies.Producers.Count; p++)
        {
            var producer = dependencies.Producers[p];
            foreach (var unit in dependencies.Along(producer.Weights, producer.Axis).Select(dependencies.Units.UnitOf).Distinct())
            {
                if (!makers.TryGetValue(unit, out var list)) makers.Add(unit, list = []);
                list.Add(p);
            }
        }

        return [.. makers.GroupBy(m => string.Join(',', m.Value)).Select(g => Make(g.First().Value, [.. g.Select(m => m.Key)], dependencies))];
    }

    /// <summary>How many channels of the first layer one unit is.</summary>
    public int ChannelsPerUnit(ChannelDependencies dependencies)
    {
        var units = Units.ToHashSet();
        return dependencies.Along(Producers[0].Weights, Producers[0].Axis).Count(l => units.Contains(dependencies.Units.UnitOf(l))) / Units.Count;
    }

    private static PruneGroup Make(List<int> makers, List<int> units, ChannelDependencies dependencies)
    {
        List<ChannelProducer> producers = [.. makers.Select(m => dependencies.Producers[m])];
        var reason = units.Select(dependencies.Units.WhyFixed).FirstOrDefault(why => why is not null);
        return new PruneGroup(producers[0].Node.Name, producers, units, reason);
    }
}
