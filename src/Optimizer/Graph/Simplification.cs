using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>
/// Brings a graph of any exporter into one form without changing what it computes: constants are initializers, nodes have names and
/// stand in order, nothing is computed that the input cannot change, and no Identity, Dropout or Cast to the same type stands in the way.
/// </summary>
internal static class Simplification
{
    /// <summary>The first IR version in which an initializer need not be an input too.</summary>
    private const long IrWithPlainInitializers = 4;

    public static void Apply(ModelGraph graph)
    {
        var proto = graph.Model.Graph;
        graph.Model.IrVersion = Math.Max(graph.Model.IrVersion, IrWithPlainInitializers);
        foreach (var tensor in proto.Initializer) Tensors.MakeRaw(tensor);
        var constants = proto.Initializer.Select(i => i.Name).ToHashSet();
        for (var i = proto.Input.Count - 1; i >= 0; i--)
            if (constants.Contains(proto.Input[i].Name)) proto.Input.RemoveAt(i);
        graph.Changed();
        Order(proto);
        NameNodes(proto);
        TakeConstants(graph);
        DropUnread(graph);
        foreach (var node in graph.Nodes.Where(IsNothing).ToList()) graph.Bypass(node, node.Input[0]);
        SeparateVectors(graph);
        graph.DropUnused();
        StaticValues.Fold(graph);
        DropIdleCasts(graph);
    }

    /// <summary>Stable: nodes that stand in order keep their places.</summary>
    private static void Order(GraphProto graph)
    {
        var missing = graph.Node.SelectMany(n => n.Output).ToHashSet();
        missing.Remove("");
        var left = graph.Node.ToList();
        var ordered = new List<NodeProto>(left.Count);
        while (left.Count > 0)
        {
            var before = ordered.Count;
            left.RemoveAll(node =>
            {
                if (node.Input.Any(missing.Contains)) return false;
                missing.ExceptWith(node.Output);
                ordered.Add(node);
                return true;
            });
            if (ordered.Count == before) throw new InvalidDataException($"{Nodes.Named(left[0])} depends on its own result; the graph has a cycle.");
        }

        graph.Node.Clear();
        graph.Node.AddRange(ordered);
    }

    private static void NameNodes(GraphProto graph)
    {
        var names = graph.Node.Select(n => n.Name).ToHashSet();
        var seen = new HashSet<string>();
        foreach (var node in graph.Node)
        {
            if (node.Name.Length > 0 && seen.Add(node.Name)) continue;
            var number = 0;
            do node.Name = $"{node.OpType}_{number++}";
            while (names.Contains(node.Name) || seen.Contains(node.Name));
            seen.Add(node.Name);
        }
    }

    private static void TakeConstants(ModelGraph graph)
    {
        foreach (var node in graph.Nodes.Where(n => n.OpType == "Constant" && n.Output[0] != graph.Output).ToList())
        {
            if (ValueOf(node.Attribute.Single()) is not { } tensor) continue;
            tensor.Name = node.Output[0];
            Tensors.MakeRaw(tensor);
            graph.Model.Graph.Node.Remove(node);
            graph.Model.Graph.Initializer.Add(tensor);
        }

        graph.Changed();
    }

    // A Dropout's mask and a MaxPool's places may be left out.
    private static void DropUnread(ModelGraph graph)
    {
        foreach (var node in graph.Nodes.Where(n => n.OpType is "Dropout" or "MaxPool" && n.Output.Count == 2))
            if (node.Output[1] != graph.Output && (node.Output[1].Length == 0 || !graph.Consumers(node.Output[1]).Any())) node.Output.RemoveAt(1);
        graph.Changed();
    }

    // Exporters write equal biases and gains once. They are vectors of a channel each, and would tie the channels of their layers together.
    private static void SeparateVectors(ModelGraph graph)
    {
        foreach (var tensor in graph.Model.Graph.Initializer.Where(t => Tensors.IsFloat(t) && t.Dims.Count == 1 && t.Dims[0] > 1).ToList())
        {
            foreach (var reader in graph.Consumers(tensor.Name).Distinct().Skip(1).ToList())
            {
                var own = tensor.Clone();
                own.Name = graph.FreshName($"{reader.Name}.{tensor.Name}");
                for (var i = 0; i < reader.Input.Count; i++)
                    if (reader.Input[i] == tensor.Name) reader.Input[i] = own.Name;
                graph.SetConstant(own);
            }
        }
    }

    // PyTorch writes one for x.float(), whatever x is.
    private static void DropIdleCasts(ModelGraph graph)
    {
        var casts = graph.Nodes.Where(n => n.OpType == "Cast").ToList();
        if (casts.Count == 0) return;
        var shapes = graph.Shapes;
        foreach (var cast in casts.Where(c => (long?)shapes.TypeOf(c.Input[0]) == Nodes.IntOf(c, "to", 0)).ToList()) graph.Bypass(cast, cast.Input[0]);
    }

    private static TensorProto? ValueOf(AttributeProto attribute) => attribute.Name switch
    {
        "value" => attribute.T.Clone(),
        "value_float" => Tensors.Of("", [attribute.F]),
        "value_floats" => Tensors.Of("", [.. attribute.Floats], attribute.Floats.Count),
        "value_int" => Tensors.Of("", new[] { attribute.I }),
        "value_ints" => Tensors.Of("", [.. attribute.Ints], attribute.Ints.Count),
        _ => null,
    };

    private static bool IsNothing(NodeProto node) =>
        node.OpType == "Identity" || (node.OpType == "Dropout" && Nodes.InputOf(node, 2) is null && node.Output.Count == 1);
}
