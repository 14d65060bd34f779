using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Says the same in operators for which ONNX Runtime has integer kernels. No score changes by more than rounding.</summary>
internal static class IntegerForms
{
    /// <param name="graph">Is changed; batch norms should be folded before.</param>
    public static void Apply(ModelGraph graph)
    {
        // Measured once: what the rewrites name anew is not asked for.
        var shapes = graph.Shapes;
        foreach (var node in graph.Nodes.ToList())
        {
            var rewrite = node.OpType switch
            {
                "ReduceMean" => MeanAsPooling(graph, node, shapes),
                "MatMul" => LinearAsGemm(graph, node, shapes),
                "Min" => BoundsAsClip(graph, node),
                "Div" => DivisionAsProduct(graph, node),
                "Pad" => PaddingOfConvolution(graph, node),
                "BatchNormalization" => NormAsConvolution(graph, node, shapes),
                "Relu" or "Clip" => ActivationBeforePooling(graph, node),
                _ => false,
            };
            if (rewrite) graph.Changed();
        }

        graph.DropUnused();
    }

    private static bool MeanAsPooling(ModelGraph graph, NodeProto node, ValueShapes shapes)
    {
        var shape = shapes[node.Input[0]];
        var axes = graph.Constant(Nodes.InputOf(node, 1)) is { } tensor ? Tensors.Integers(tensor) : Nodes.IntsOf(node, "axes");
        if (shape.Length != 4 || axes is null || !axes.Select(a => a < 0 ? a + 4 : a).Order().SequenceEqual([2, 3])) return false;
        if (Nodes.IntOf(node, "keepdims", 1) == 1)
        {
            Replace(graph, node, Nodes.Make("GlobalAveragePool", [node.Input[0]], node.Output[0]));
            return true;
        }

        var pooled = graph.FreshName($"{node.Name}.pooled");
        Replace(graph, node, Nodes.Make("GlobalAveragePool", [node.Input[0]], pooled), Nodes.Make("Flatten", [pooled], node.Output[0]));
        return true;
    }

    private static bool LinearAsGemm(ModelGraph graph, NodeProto node, ValueShapes shapes)
    {
        if (shapes[node.Input[0]].Length != 2 || graph.Constant(node.Input[1]) is not { Dims.Count: 2 } weights) return false;
        if (graph.OnlyConsumer(node.Output[0]) is not { OpType: "Add" } sum) return false;
        var other = sum.Input[0] == node.Output[0] ? sum.Input[1] : sum.Input[0];
        if (graph.Constant(other) is not { Dims.Count: 1 } bias || bias.Dims[0] != weights.Dims[1]) return false;
        graph.Model.Graph.Node.Remove(sum);
        var gemm = Nodes.Make("Gemm", [node.Input[0], node.Input[1], other], sum.Output[0]);
        gemm.Name = node.Name;
        Replace(graph, node, gemm);
        return true;
    }

    // tf2onnx writes ReLU6 so.
    private static bool BoundsAsClip(ModelGraph graph, NodeProto node)
    {
        if (node.Input.Count != 2 || Scalar(graph, node, out var x) is not { } upper) return false;
        if (graph.Producer(x) is not { OpType: "Relu" or "Max" } inner || graph.OnlyConsumer(x) != node) return false;
        string lower, source;
        if (inner.OpType == "Relu") (lower, source) = (Constant(graph, node, "low", 0), inner.Input[0]);
        else if (inner.Input.Count == 2 && Scalar(graph, inner, out source) is { } bound) lower = Constant(graph, node, "low", bound);
        else return false;
        graph.Model.Graph.Node.Remove(inner);
        Replace(graph, node, Nodes.Make("Clip", [source, lower, Constant(graph, node, "high", upper)], node.Output[0]));
        return true;
    }

    private static bool DivisionAsProduct(ModelGraph graph, NodeProto node)
    {
        if (FloatScalar(graph, node.Input[1]) is not { } divisor || divisor == 0) return false;
        node.OpType = "Mul";
        node.Input[1] = Constant(graph, node, "factor", 1 / divisor);
        return true;
    }

    private static bool PaddingOfConvolution(ModelGraph graph, NodeProto node)
    {
        if (graph.OnlyConsumer(node.Output[0]) is not { OpType: "Conv" } layer || layer.Input[0] != node.Output[0]) return false;
        if (node.Attribute.FirstOrDefault(a => a.Name == "mode")?.S.ToStringUtf8() is not (null or "constant") || Nodes.InputOf(node, 3) is not null) return false;
        if (Nodes.InputOf(node, 2) is { } value && FloatScalar(graph, value) != 0) return false;
        if (layer.Attribute.FirstOrDefault(a => a.Name == "auto_pad")?.S.ToStringUtf8() is not (null or "NOTSET" or "VALID")) return false;
        if (graph.Constant(Nodes.InputOf(node, 1)) is not { } tensor || Tensors.Integers(tensor) is not { Length: 8 } pads) return false;
        if (pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0 || pads.Any(p => p < 0)) return false;
        var own = Nodes.IntsOf(layer, "pads", 4, 0);
        foreach (var name in new[] { "pads", "auto_pad" })
            if (layer.Attribute.FirstOrDefault(a => a.Name == name) is { } old) layer.Attribute.Remove(old);
        layer.Attribute.Add(Nodes.Ints("pads", own[0] + pads[2], own[1] + pads[3], own[2] + pads[6], own[3] + pads[7]));
        layer.Input[0] = node.Input[0];
        graph.Model.Graph.Node.Remove(node);
        return true;
    }

    // What could not be folded, as in DenseNet: gain and offset are a depthwise convolution of one pixel.
    private static bool NormAsConvolution(ModelGraph graph, NodeProto node, ValueShapes shapes)
    {
        if (shapes[node.Input[0]] is not [_, var channels, _, _] || BatchNormFolding.Factors(graph, node) is not { } factors) return false;
        var (weights, bias) = (graph.FreshName($"{node.Name}.gain"), graph.FreshName($"{node.Name}.offset"));
        graph.SetConstant(Tensors.Of(weights, [.. factors.Gain.Select(g => (float)g)], channels, 1, 1, 1));
        graph.SetConstant(Tensors.Of(bias, [.. factors.Offset.Select(o => (float)o)], channels));
        var layer = Nodes.Make("Conv", [node.Input[0], weights, bias], node.Output[0], Nodes.Int("group", channels), Nodes.Ints("kernel_shape", 1, 1));
        layer.Name = node.Name;
        Replace(graph, node, layer);
        return true;
    }

    // Both grow with their input, so that the order is free; before pooling the activation is part of the layer's kernel.
    private static bool ActivationBeforePooling(ModelGraph graph, NodeProto node)
    {
        if (graph.Producer(node.Input[0]) is not { OpType: "MaxPool" } pool || pool.Output.Count != 1 || graph.OnlyConsumer(pool.Output[0]) != node) return false;
        var (source, result) = (pool.Input[0], node.Output[0]);
        (node.Output[0], pool.Output[0]) = (pool.Output[0], result);
        (node.Input[0], pool.Input[0]) = (source, node.Output[0]);
        var nodes = graph.Model.Graph.Node;
        nodes.Remove(node);
        nodes.Insert(nodes.IndexOf(pool), node);
        return true;
    }

    private static float? Scalar(ModelGraph graph, NodeProto node, out string other)
    {
        other = node.Input[0];
        if (FloatScalar(graph, node.Input[1]) is { } second) return second;
        other = node.Input[1];
        return FloatScalar(graph, node.Input[0]);
    }

    private static float? FloatScalar(ModelGraph graph, string name) =>
        graph.Constant(name) is { DataType: (int)TensorProto.Types.DataType.Float } tensor && Tensors.ElementCount(tensor) == 1 ? Tensors.Floats(tensor)[0] : null;

    private static string Constant(ModelGraph graph, NodeProto node, string kind, float value)
    {
        var name = graph.FreshName($"{node.Name}.{kind}");
        graph.SetConstant(Tensors.Of(name, [value]));
        return name;
    }

    private static void Replace(ModelGraph graph, NodeProto old, params ReadOnlySpan<NodeProto> replacements)
    {
        var nodes = graph.Model.Graph.Node;
        var index = nodes.IndexOf(old);
        nodes.RemoveAt(index);
        foreach (var node in replacements) nodes.Insert(index++, node);
    }
}
