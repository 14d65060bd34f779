using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>What an integer kernel needs around it.</summary>
internal enum IntegerKind
{
    /// <summary>There is no kernel on bytes.</summary>
    None,

    /// <summary>A convolution: byte input, weights, 32-bit bias; its result must be quantized.</summary>
    Convolution,

    /// <summary>Gemm or MatMul: as a convolution, but its result may stay float.</summary>
    Linear,

    /// <summary>All inputs and the result are bytes, each on a grid of its own.</summary>
    Free,

    /// <summary>Hands bytes on unchanged: results lie on the grid of the input.</summary>
    KeepsGrid,
}

/// <summary>Which operators ONNX Runtime computes on bytes, after its qdq_selector_action_transformer.cc (1.31).</summary>
internal static class IntegerOperators
{
    public static IntegerKind KindOf(ModelGraph graph, NodeProto node) => WhyFloat(graph, node) is not null ? IntegerKind.None : node.OpType switch
    {
        "Conv" => IntegerKind.Convolution,
        "Gemm" or "MatMul" => IntegerKind.Linear,
        "Add" or "Mul" or "Concat" or "AveragePool" or "GlobalAveragePool" or "LeakyRelu" or "Sigmoid" => IntegerKind.Free,
        "MaxPool" or "Flatten" or "Reshape" or "Squeeze" or "Unsqueeze" or "Transpose" or "Slice" or "Split" => IntegerKind.KeepsGrid,
        _ => IntegerKind.None,
    };

    /// <summary>Whether a node is a convolution or linear layer, for which quantization is worth while.</summary>
    public static bool IsLayer(NodeProto node) => node.OpType is "Conv" or "ConvTranspose" or "Gemm" || node is { OpType: "MatMul", Domain: "" };

    /// <summary>Why a node that looks as if it could be computed on bytes cannot; null if it can.</summary>
    public static string? WhyFloat(ModelGraph graph, NodeProto node) => node.OpType switch
    {
        _ when node.Domain is not ("" or "ai.onnx") => $"it is no operator of ONNX's own ({node.Domain})",
        "Conv" => WhyFloatWeights(graph, node),
        "Gemm" when Nodes.IntOf(node, "transA", 0) != 0 => "it transposes its input",
        "Gemm" when Nodes.FloatOf(node, "alpha", 1) != 1 || Nodes.FloatOf(node, "beta", 1) != 1 => "it scales its input or its bias",
        "Gemm" => WhyFloatWeights(graph, node),
        "MatMul" => WhyFloatWeights(graph, node) ?? (graph.Constant(node.Input[1])!.Dims.Count == 2 ? null : "its weights are no matrix"),
        "ConvTranspose" => "ONNX Runtime has no integer kernel for it",
        "Add" or "Mul" => WhyFloatOperands(graph, node),
        "Concat" when node.Input.Any(i => graph.Constant(i) is not null) => "one of its inputs is constant",
        "MaxPool" when node.Output.Count > 1 => "its places of maxima are used",
        _ => null,
    };

    /// <summary>The axis of the output channels in a layer's weights.</summary>
    public static int ChannelAxis(NodeProto layer) => layer.OpType == "Conv" || (layer.OpType == "Gemm" && Nodes.IntOf(layer, "transB", 0) == 1) ? 0 : 1;

    private static string? WhyFloatWeights(ModelGraph graph, NodeProto node)
    {
        if (graph.Constant(node.Input[1]) is not { } weights) return "its weights are computed";
        if (!IsFloat32(weights)) return "its weights are not float32";
        if (Nodes.InputOf(node, 2) is not { } name) return null;
        if (graph.Constant(name) is not { } bias || !IsFloat32(bias)) return "its bias is computed or not float32";
        return Tensors.ElementCount(bias) == weights.Dims[ChannelAxis(node)] ? null : "its bias is not one number a channel";
    }

    private static string? WhyFloatOperands(ModelGraph graph, NodeProto node)
    {
        var constants = node.Input.Select(graph.Constant).OfType<TensorProto>().ToList();
        return constants.Count > 1 || constants.Any(c => !IsFloat32(c)) ? "its operands are constant or not float32" : null;
    }

    private static bool IsFloat32(TensorProto tensor) => tensor.DataType == (int)TensorProto.Types.DataType.Float;
}
