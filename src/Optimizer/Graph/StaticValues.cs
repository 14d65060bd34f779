using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>
/// Replaces what is the same for every image by constants: arithmetic on constants, and the chains of Shape, Gather and Concat by which
/// exporters say how to reshape. Where the batch is open, the graph is measured with two batches, and only what they share is folded.
/// </summary>
internal static class StaticValues
{
    private const int OtherBatch = 3;
    private const long LargestGrowth = 65_536;

    public static void Fold(ModelGraph graph)
    {
        var folded = Folded(graph);
        if (folded.Count == 0) return;
        var first = ValueShapes.Measure(graph.Model, graph.Input.Shape, folded);
        var second = (graph.Input.HasOpenBatch ? TryOtherBatch(graph, folded) : null) ?? first;
        foreach (var value in folded)
        {
            if (first.ContentOf(value) is not { } content || !IsWorthKeeping(graph, content)) continue;
            if (second.ContentOf(value) is { } other && other.RawData == content.RawData && other.Dims.SequenceEqual(content.Dims)) Replace(graph, value, content);
            else KeepBatchOpen(graph, value, content, second);
        }

        graph.DropUnused();
    }

    /// <summary>Static values that something reads which is not static itself.</summary>
    private static HashSet<string> Folded(ModelGraph graph)
    {
        var known = graph.Model.Graph.Initializer.Select(i => i.Name).ToHashSet();
        var computed = new HashSet<string>();
        foreach (var node in graph.Nodes)
        {
            var isStatic = node.OpType is "Shape" or "Size" || (IsFoldable(node) && node.Input.All(i => i.Length == 0 || known.Contains(i)));
            if (!isStatic) continue;
            known.UnionWith(node.Output);
            computed.UnionWith(node.Output);
        }

        computed.Remove("");
        computed.Remove(graph.Output);
        computed.RemoveWhere(value => graph.Consumers(value).All(reader => reader.Output.All(known.Contains)));
        return computed;
    }

    // A weight that is kept in integers must stay one; chance is no constant.
    private static bool IsFoldable(NodeProto node) =>
        node.OpType is not ("QuantizeLinear" or "DequantizeLinear" or "Bernoulli" or "Multinomial") && !node.OpType.StartsWith("Random", StringComparison.Ordinal);

    private static bool IsWorthKeeping(ModelGraph graph, TensorProto content)
    {
        var sources = graph.Producer(content.Name)!.Input.Sum(i => graph.Constant(i) is { } tensor ? Tensors.ElementCount(tensor) : 0);
        return Tensors.ElementCount(content) <= Math.Max(LargestGrowth, sources);
    }

    private static ValueShapes? TryOtherBatch(ModelGraph graph, HashSet<string> wanted)
    {
        try
        {
            return ValueShapes.Measure(graph.Model, [OtherBatch, .. graph.Input.Shape.Skip(1)], wanted);
        }
        catch (InvalidDataException)
        {
            // The batch is open in name only.
            return null;
        }
    }

    private static void Replace(ModelGraph graph, string value, TensorProto content)
    {
        var node = graph.Producer(value)!;
        if (node.Output.Count(o => o.Length > 0) > 1) return;
        graph.Remove(node);
        graph.SetConstant(content);
    }

    // [batch, …] of a Reshape is 0, "as it was", followed by what is the same for all batches.
    private static void KeepBatchOpen(ModelGraph graph, string value, TensorProto content, ValueShapes second)
    {
        if (content.DataType != (int)TensorProto.Types.DataType.Int64 || content.Dims.Count != 1 || second.ContentOf(value) is not { } other) return;
        var (one, many) = (Tensors.Integers(content), Tensors.Integers(other));
        if (one.Length != many.Length || one.Length == 0 || one[0] != 1 || many[0] != OtherBatch || !one.AsSpan(1).SequenceEqual(many.AsSpan(1))) return;
        foreach (var reader in graph.Consumers(value).Distinct().ToList())
        {
            if (reader.OpType != "Reshape" || second[reader.Input[0]] is not [OtherBatch, ..]) continue;
            var takesZero = reader.Attribute.FirstOrDefault(a => a.Name == "allowzero");
            // There 0 is a length of 0; where none is meant, the attribute says nothing.
            if (takesZero is { I: not 0 } && one.AsSpan(1).Contains(0)) continue;
            if (takesZero is not null) reader.Attribute.Remove(takesZero);
            var shape = graph.FreshName($"{reader.Name}.shape");
            graph.SetConstant(Tensors.Of(shape, [0, .. one[1..]], one.Length));
            reader.Input[1] = shape;
        }

        graph.Changed();
    }
}
