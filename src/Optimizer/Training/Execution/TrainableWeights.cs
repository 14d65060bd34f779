using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>What a constant is to training.</summary>
internal enum WeightKind
{
    /// <summary>Stays as it is.</summary>
    Constant,

    /// <summary>Filters, matrices and their biases: trained, perhaps in bfloat16.</summary>
    Layer,

    /// <summary>Gains and offsets of normalization, slopes: trained in float32.</summary>
    Scale,

    /// <summary>Measured while training.</summary>
    Statistic,
}

/// <summary>Tells weights from constants by who reads them.</summary>
internal static class TrainableWeights
{
    /// <param name="graph">Where the node is.</param>
    /// <param name="node">It reads the constant.</param>
    /// <param name="index">As which of its inputs.</param>
    public static WeightKind KindOf(ModelGraph graph, NodeProto node, int index) => node.OpType switch
    {
        "Conv" or "Gemm" or "MatMul" => WeightKind.Layer,
        "BatchNormalization" => index is 1 or 2 ? WeightKind.Scale : WeightKind.Statistic,
        "InstanceNormalization" or "LayerNormalization" or "PRelu" => WeightKind.Scale,
        // The bias of a linear layer as TensorFlow writes it; a single number is part of an activation, as the 3 of hard-swish.
        "Add" when graph.Producer(node.Input[1 - index]) is { OpType: "MatMul" or "Conv" } && Tensors.ElementCount(graph.Constant(node.Input[index])!) > 1 => WeightKind.Scale,
        _ => WeightKind.Constant,
    };
}
