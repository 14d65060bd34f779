using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>γ (w·x − μ) / √(σ² + ε) + β is a convolution or linear layer again: batch normalization that directly follows one is folded into its weights.</summary>
internal static class BatchNormFolding
{
    /// <returns>How many were folded. Those after anything else, as in DenseNet, stay.</returns>
    public static int Apply(ModelGraph graph)
    {
        var count = 0;
        foreach (var norm in graph.Nodes.Where(n => n.OpType == "BatchNormalization").ToList())
        {
            if (graph.Producer(norm.Input[0]) is not { } layer || graph.OnlyConsumer(norm.Input[0]) != norm || Factors(graph, norm) is not { } factors) continue;
            if (!TryScale(graph, layer, factors)) continue;
            graph.Bypass(norm, layer.Output[0]);
            count++;
        }

        if (count > 0) graph.DropUnused();
        return count;
    }

    /// <summary>Of each channel, γ ÷ √(σ² + ε) and β − μγ ÷ √(σ² + ε); null for a norm that is not plain float32 inference.</summary>
    public static (double[] Gain, double[] Offset)? Factors(ModelGraph graph, NodeProto norm)
    {
        // Without "spatial", in operator sets 7 and 8, each place has factors of its own.
        if (Nodes.IntOf(norm, "training_mode", 0) != 0 || Nodes.IntOf(norm, "spatial", 1) != 1) return null;
        var tensors = norm.Input.Skip(1).Select(graph.Constant).ToList();
        if (!tensors.All(IsFloat32)) return null;
        var (gain, offset, mean, variance) = (Tensors.Floats(tensors[0]!), Tensors.Floats(tensors[1]!), Tensors.Floats(tensors[2]!), Tensors.Floats(tensors[3]!));
        var epsilon = Nodes.FloatOf(norm, "epsilon", 1e-5f);
        double[] factor = [.. gain.Select((g, c) => g / Math.Sqrt(variance[c] + (double)epsilon))];
        return (factor, [.. offset.Select((o, c) => o - mean[c] * factor[c])]);
    }

    private static bool TryScale(ModelGraph graph, NodeProto layer, (double[] Gain, double[] Offset) factors)
    {
        var axis = layer.OpType switch
        {
            "Conv" => 0,
            "Gemm" when Nodes.FloatOf(layer, "alpha", 1) == 1 && Nodes.FloatOf(layer, "beta", 1) == 1 => Nodes.IntOf(layer, "transB", 0) == 1 ? 0 : 1,
            _ => -1,
        };
        var bias = Nodes.InputOf(layer, 2);
        if (axis < 0 || graph.Constant(layer.Input[1]) is not { } weights || !IsFloat32(weights)) return false;
        if (bias is not null && (graph.Constant(bias) is not { } old || !IsFloat32(old) || old.Dims is not [var count] || count != factors.Gain.Length)) return false;

        var before = bias is null ? new float[factors.Gain.Length] : Tensors.Floats(graph.Constant(bias)!);
        float[] after = [.. before.Select((b, c) => (float)(b * factors.Gain[c] + factors.Offset[c]))];
        var scaled = Scaled(weights, axis, factors.Gain);
        scaled.Name = OwnName(graph, layer.Input[1]);
        layer.Input[1] = scaled.Name;
        graph.SetConstant(scaled);
        var biasName = bias is null ? graph.FreshName($"{layer.Name}.bias") : OwnName(graph, bias);
        if (layer.Input.Count > 2) layer.Input[2] = biasName;
        else layer.Input.Add(biasName);
        graph.SetConstant(Tensors.Of(biasName, after, after.Length));
        return true;
    }

    private static TensorProto Scaled(TensorProto weights, int axis, double[] gain)
    {
        var values = Tensors.Floats(weights);
        var inner = weights.Dims.Skip(axis + 1).Aggregate(1L, (a, b) => a * b);
        for (var i = 0; i < values.Length; i++) values[i] = (float)(values[i] * gain[i / inner % gain.Length]);
        return Tensors.Of("", values, [.. weights.Dims]);
    }

    // Weights that another layer shares stay as they are for it.
    private static string OwnName(ModelGraph graph, string name) => graph.Consumers(name).Count() == 1 ? name : graph.FreshName($"{name}.folded");

    private static bool IsFloat32(TensorProto? tensor) => tensor?.DataType == (int)TensorProto.Types.DataType.Float;
}
