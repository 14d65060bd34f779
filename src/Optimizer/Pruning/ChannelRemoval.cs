using Dunlin.Optimizer.Graph;
using Google.Protobuf;
using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>Takes units out of a graph: cuts every constant that has places of them, and writes the counts anew.</summary>
internal static class ChannelRemoval
{
    /// <param name="dependencies">Of the graph that is changed; no longer true of it afterwards.</param>
    /// <param name="removed">Units, none of them fixed, and not all of any layer.</param>
    /// <exception cref="InvalidDataException">They may not be removed.</exception>
    public static void Apply(ChannelDependencies dependencies, IReadOnlySet<int> removed)
    {
        foreach (var unit in removed)
            if (dependencies.Units.WhyFixed(unit) is { } reason) throw new InvalidDataException($"A channel cannot be removed: {reason}.");
        var graph = dependencies.Graph;
        var counts = dependencies.Counts.Select(c => (c.Write, Count: dependencies.Units.Kept(c.Labels, removed).Length)).ToList();
        foreach (var tensor in graph.Model.Graph.Initializer) Cut(tensor, dependencies.Units, removed);
        graph.Changed();
        foreach (var (write, count) in counts) write(graph, count);
        graph.Changed();
    }

    private static void Cut(TensorProto tensor, ChannelUnits units, IReadOnlySet<int> removed)
    {
        for (var axis = 0; axis < tensor.Dims.Count; axis++)
        {
            if (units.TryAlong(tensor.Name, axis) is not { } labels) continue;
            var kept = units.Kept(labels, removed);
            if (kept.Length == 0) throw new InvalidDataException($"No channel of '{tensor.Name}' would remain; remove fewer.");
            if (kept.Length < labels.Length) Keep(tensor, axis, kept);
        }
    }

    private static void Keep(TensorProto tensor, int axis, int[] kept)
    {
        var size = (int)tensor.Dims[axis];
        var block = (int)tensor.Dims.Skip(axis + 1).Aggregate((long)Tensors.ElementSize(tensor), (product, length) => product * length);
        var outer = tensor.RawData.Length / (size * block);
        var from = tensor.RawData.Span;
        var to = new byte[outer * kept.Length * block];
        for (var o = 0; o < outer; o++)
            for (var k = 0; k < kept.Length; k++)
                from.Slice((o * size + kept[k]) * block, block).CopyTo(to.AsSpan((o * kept.Length + k) * block));
        tensor.Dims[axis] = kept.Length;
        tensor.RawData = ByteString.CopyFrom(to);
    }
}
