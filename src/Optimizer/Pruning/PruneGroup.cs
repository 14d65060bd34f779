using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Dunlin.Optimizer.Pruning;

/// <summary>Channels that the same layers make and the same values hold: any number of them but the last may go, each from all of these at once.</summary>
/// <param name="Name">Of the first of these layers.</param>
/// <param name="Producers">The layers.</param>
/// <param name="Units">What is removed as a whole: a channel, or as many as a grouped convolution has groups.</param>
/// <param name="WhyFixed">Why nothing of it may go; null if it may.</param>
/// <param name="Key">Which layers and values it lies on: the same before and after some of its channels are gone.</param>
internal sealed record PruneGroup(string Name, IReadOnlyList<ChannelProducer> Producers, IReadOnlyList<int> Units, string? WhyFixed, string Key)
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
        return [.. makers.GroupBy(m => $"{string.Join(',', m.Value)} {holders[m.Key]:x}").Select(g => Make(g.Key, g.First().Value, [.. g.Select(m => m.Key)], dependencies))];
    }

    /// <summary>How many channels of the first layer one unit is.</summary>
    public int ChannelsPerUnit(ChannelDependencies dependencies)
    {
        var units = Units.ToHashSet();
        return dependencies.Along(Producers[0].Weights, Producers[0].Axis).Count(l => units.Contains(dependencies.Units.UnitOf(l))) / Units.Count;
    }

    // One number for the set of axes that a unit has places on. It is of their names, so that it stays where others come to have one place and are named no more.
    private static Dictionary<int, ulong> Holders(ChannelUnits units, IEnumerable<int> of)
    {
        var holders = of.ToDictionary(unit => unit, _ => 0UL);
        foreach (var (value, axis, labels) in units.Axes)
        {
            var number = BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"{axis} {value}")));
            foreach (var unit in labels.Select(units.UnitOf).Distinct())
                if (holders.TryGetValue(unit, out var before)) holders[unit] = unchecked(before + number);
        }

        return holders;
    }

    private static PruneGroup Make(string key, List<int> makers, List<int> units, ChannelDependencies dependencies)
    {
        List<ChannelProducer> producers = [.. makers.Select(m => dependencies.Producers[m])];
        var reason = units.Select(dependencies.Units.WhyFixed).FirstOrDefault(why => why is not null);
        return new PruneGroup(producers[0].Node.Name, producers, units, reason, key);
    }
}
