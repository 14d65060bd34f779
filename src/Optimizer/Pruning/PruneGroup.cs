namespace Dunlin.Optimizer.Pruning;

/// <summary>Channels that the same layers make and the same values hold: any number of them but the last may go, each from all of these at once.</summary>
/// <param name="Name">Of the first of these layers.</param>
/// <param name="Producers">The layers.</param>
/// <param name="Units">What is removed as a whole: a channel, or as many as a grouped convolution has groups.</param>
/// <param name="WhyFixed">Why nothing of it may go; null if it may.</param>
internal sealed record PruneGroup(string Name, IReadOnlyList<ChannelProducer> Producers, IReadOnlyList<int> Units, string? WhyFixed)
{
    /// <summary>
    /// All groups of a graph, in its order. The parts of a layer that are tied to different others, or cut from the rest by a slice, form groups
    /// of their own, so that no value is left without a channel as long as each group keeps one.
    /// </summary>
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

        var holders = Holders(dependencies.Units, makers.Keys);
        return [.. makers.GroupBy(m => (string.Join(',', m.Value), holders[m.Key])).Select(g => Make(g.First().Value, [.. g.Select(m => m.Key)], dependencies))];
    }

    /// <summary>How many channels of the first layer one unit is.</summary>
    public int ChannelsPerUnit(ChannelDependencies dependencies)
    {
        var units = Units.ToHashSet();
        return dependencies.Along(Producers[0].Weights, Producers[0].Axis).Count(l => units.Contains(dependencies.Units.UnitOf(l))) / Units.Count;
    }

    // One number for the set of axes that a unit has places on.
    private static Dictionary<int, ulong> Holders(ChannelUnits units, IEnumerable<int> of)
    {
        const ulong factor = 6364136223846793005;
        var holders = of.ToDictionary(unit => unit, _ => 0UL);
        var number = 0UL;
        foreach (var axis in units.Axes)
        {
            number++;
            foreach (var unit in axis.Select(units.UnitOf).Distinct())
                if (holders.TryGetValue(unit, out var before)) holders[unit] = unchecked((before + number) * factor);
        }

        return holders;
    }

    private static PruneGroup Make(List<int> makers, List<int> units, ChannelDependencies dependencies)
    {
        List<ChannelProducer> producers = [.. makers.Select(m => dependencies.Producers[m])];
        var reason = units.Select(dependencies.Units.WhyFixed).FirstOrDefault(why => why is not null);
        return new PruneGroup(producers[0].Node.Name, producers, units, reason);
    }
}
