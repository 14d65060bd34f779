using Dunlin.Contracts.Manifests;
using Onnx;
using static Onnx.TensorProto.Types;

namespace Dunlin.Optimizer.Graph;

/// <summary>What a model computes in, as its graph shows.</summary>
internal static class ModelPrecision
{
    private static readonly HashSet<string> Layers = ["Conv", "ConvTranspose", "Gemm", "MatMul"];

    /// <summary>Of its layers' weights: those of a layer on bytes are none of floats.</summary>
    public static Precision Of(ModelGraph graph)
    {
        var weights = graph.Nodes.Where(n => Layers.Contains(n.OpType)).Select(n => (DataType?)graph.Constant(n.Input[1])?.DataType).ToList();
        if (FirstInteger(graph) is not null) return weights.Any(w => w is DataType.Float or DataType.Float16) ? Precision.Mixed : Precision.Int8;
        return weights.Count(w => w == DataType.Float16) * 2 > weights.Count ? Precision.Fp16 : Precision.Fp32;
    }

    /// <summary>The first node that makes bytes of floats, or computes with them; null in a float model.</summary>
    public static NodeProto? FirstInteger(ModelGraph graph) => graph.Nodes.FirstOrDefault(n =>
        n.OpType is "QuantizeLinear" or "DequantizeLinear" or "DynamicQuantizeLinear" or "ConvInteger" or "MatMulInteger" || n.OpType.StartsWith("QLinear", StringComparison.Ordinal));
}
