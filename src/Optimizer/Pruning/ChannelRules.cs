using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>How each operator ties the places of its outputs to those of its inputs and weights. An operator that is not known here ties everything down.</summary>
internal static class ChannelRules
{
    public static void Apply(NodeProto node, ChannelDependencies on)
    {
        switch (node.OpType)
        {
            case var _ when node.Domain is not ("" or "ai.onnx"):
                on.Fix(node);
                break;
            case "Relu" or "LeakyRelu" or "ThresholdedRelu" or "Clip" or "Sigmoid" or "HardSigmoid" or "HardSwish" or "Elu" or "Selu" or "Celu" or "Tanh"
                or "Softplus" or "Softsign" or "Mish" or "Gelu" or "Erf" or "Exp" or "Log" or "Sqrt" or "Abs" or "Neg" or "Floor" or "Ceil" or "Round"
                or "Reciprocal" or "Sign" or "Identity" or "Cast" or "Dropout":
                Same(node, node.Input[0], on);
                break;
            case "Add" or "Sub" or "Mul" or "Div" or "Pow" or "Min" or "Max" or "Sum" or "Mean" or "PRelu":
                foreach (var input in node.Input) Broadcast(node, input, on);
                break;
            case "Conv":
                ConvolutionRules.Convolution(node, on);
                break;
            case "ConvTranspose":
                ConvolutionRules.Transposed(node, on);
                break;
            case "Gemm":
                Gemm(node, on);
                break;
            case "MatMul":
                MatMul(node, on);
                break;
            case "BatchNormalization" when Nodes.IntOf(node, "training_mode", 0) == 0:
                Same(node, node.Input[0], on);
                foreach (var factor in node.Input.Skip(1)) on.Join(factor, 0, node.Input[0], 1);
                break;
            case "InstanceNormalization":
                ConvolutionRules.PerChannel(node, on);
                foreach (var factor in node.Input.Skip(1)) on.Join(factor, 0, node.Input[0], 1);
                break;
            case "MaxPool" or "AveragePool" or "LpPool" or "GlobalAveragePool" or "GlobalMaxPool" or "GlobalLpPool" when node.Output.Count == 1:
                ConvolutionRules.PerChannel(node, on);
                break;
            // Before opset 13 they flatten all axes from theirs on.
            case "Softmax" or "LogSoftmax" when on.Graph.Opset >= 13:
                Same(node, node.Input[0], on);
                on.Fix(node, node.Input[0], Axis(node, on, -1));
                break;
            default:
                ShapeRules.Apply(node, on);
                break;
        }
    }

    /// <summary>An attribute's axis, counted from the front.</summary>
    public static int Axis(NodeProto node, ChannelDependencies on, long absent)
    {
        var axis = Nodes.IntOf(node, "axis", absent);
        return (int)(axis < 0 ? axis + on.ShapeOf(node.Input[0]).Length : axis);
    }

    private static void Same(NodeProto node, string input, ChannelDependencies on)
    {
        for (var axis = 0; axis < on.ShapeOf(node.Output[0]).Length; axis++) on.Join(input, axis, node.Output[0], axis);
    }

    // Aligned at the end; what is 1 long is repeated and so depends on nothing.
    private static void Broadcast(NodeProto node, string input, ChannelDependencies on)
    {
        var (from, to) = (on.ShapeOf(input), on.ShapeOf(node.Output[0]));
        for (var axis = 0; axis < from.Length; axis++)
        {
            var target = axis + to.Length - from.Length;
            if (from[axis] == to[target]) on.Join(input, axis, node.Output[0], target);
        }
    }

    private static void Gemm(NodeProto node, ChannelDependencies on)
    {
        var (a, b) = (Nodes.IntOf(node, "transA", 0) == 0 ? 0 : 1, Nodes.IntOf(node, "transB", 0) == 0 ? 0 : 1);
        var output = node.Output[0];
        on.Join(node.Input[0], a, output, 0);
        on.Join(node.Input[1], 1 - b, output, 1);
        on.Join(node.Input[0], 1 - a, node.Input[1], b);
        if (Nodes.InputOf(node, 2) is { } bias) Broadcast(node, bias, on);
        on.Produces(node, node.Input[1], 1 - b);
    }

    private static void MatMul(NodeProto node, ChannelDependencies on)
    {
        var (a, b, output) = (node.Input[0], node.Input[1], node.Output[0]);
        var (rankA, rankB, rank) = (on.ShapeOf(a).Length, on.ShapeOf(b).Length, on.ShapeOf(output).Length);
        if (rankA < 2 || rankB < 2)
        {
            on.Fix(node);
            return;
        }

        on.Join(a, rankA - 1, b, rankB - 2);
        on.Join(a, rankA - 2, output, rank - 2);
        on.Join(b, rankB - 1, output, rank - 1);
        foreach (var (input, inputRank) in new[] { (a, rankA), (b, rankB) })
            for (var axis = 0; axis < inputRank - 2; axis++)
                if (on.ShapeOf(input)[axis] == on.ShapeOf(output)[axis + rank - inputRank]) on.Join(input, axis, output, axis + rank - inputRank);
        if (rankB == 2) on.Produces(node, b, 1);
    }
}
