using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Brings an old model to the first operator set whose DequantizeLinear knows channels; what changed its form in between is rewritten.</summary>
internal static class OpsetRaising
{
    public const long PerChannel = 13;

    /// <summary>The IR version that came with it.</summary>
    private const long IrVersion = 7;

    private static readonly HashSet<string> Unchanged =
    [
        "Conv", "ConvTranspose", "Gemm", "MatMul", "InstanceNormalization", "LRN", "Relu", "LeakyRelu", "PRelu", "Elu", "Selu", "Sigmoid",
        "Tanh", "HardSigmoid", "Softplus", "Add", "Sub", "Mul", "Div", "Max", "Min", "Sum", "Sqrt", "Pow", "Exp", "Abs", "Neg", "Concat", "MaxPool", "AveragePool",
        "GlobalAveragePool", "GlobalMaxPool", "ReduceMean", "ReduceMax", "ReduceMin", "Flatten", "Reshape", "Transpose", "Identity", "Shape", "Gather", "Cast", "Expand",
    ];

    /// <exception cref="InvalidDataException">An operator changed its meaning in a way that is not known here; it is named.</exception>
    public static void Apply(ModelGraph graph)
    {
        if (graph.Opset >= PerChannel) return;
        // Half raised, the graph could not be measured.
        var shapes = graph.Shapes;
        foreach (var node in graph.Nodes.Where(n => n.Domain is "" or "ai.onnx").ToList()) Raise(graph, node, shapes);
        graph.Model.OpsetImport.First(o => o.Domain is "" or "ai.onnx").Version = PerChannel;
        graph.Model.IrVersion = Math.Max(graph.Model.IrVersion, IrVersion);
        graph.Changed();
    }

    private static void Raise(ModelGraph graph, NodeProto node, ValueShapes shapes)
    {
        switch (node.OpType)
        {
            case "Clip" when graph.Opset < 11:
                FloatInput(graph, node, "min");
                FloatInput(graph, node, "max");
                break;
            case "Pad" when graph.Opset < 11:
                IntsInput(graph, node, "pads");
                FloatInput(graph, node, "value");
                break;
            case "Slice" when graph.Opset < 10:
                foreach (var name in new[] { "starts", "ends", "axes" }) IntsInput(graph, node, name);
                break;
            case "Squeeze" or "Unsqueeze" or "ReduceSum":
                IntsInput(graph, node, "axes");
                break;
            case "Split":
                IntsInput(graph, node, "split");
                break;
            case "BatchNormalization" when Nodes.IntOf(node, "spatial", 1) == 1:
                Remove(node, "spatial");
                break;
            case "Softmax" or "LogSoftmax" or "Hardmax" when Nodes.SoftmaxAxis(node, graph.Opset, shapes[node.Input[0]]) is { } axis:
                Remove(node, "axis");
                node.Attribute.Add(Nodes.Int("axis", axis));
                break;
            case "Clip" or "Pad" or "Slice":
                break;
            default:
                if (!Unchanged.Contains(node.OpType))
                    throw new InvalidDataException($"The model uses operator set {graph.Opset}, and {Nodes.Named(node)} cannot be brought to {PerChannel}, which quantizing per channel needs; export the model with opset {PerChannel} or newer.");
                break;
        }
    }

    private static void FloatInput(ModelGraph graph, NodeProto node, string attribute)
    {
        if (Remove(node, attribute) is { } found) AddInput(graph, node, attribute, Tensors.Of("", [found.F]));
        else node.Input.Add("");
    }

    private static void IntsInput(ModelGraph graph, NodeProto node, string attribute)
    {
        if (Remove(node, attribute) is { } found) AddInput(graph, node, attribute, Tensors.Of("", [.. found.Ints], found.Ints.Count));
    }

    private static void AddInput(ModelGraph graph, NodeProto node, string attribute, TensorProto tensor)
    {
        tensor.Name = graph.FreshName($"{node.Name}.{attribute}");
        graph.SetConstant(tensor);
        node.Input.Add(tensor.Name);
    }

    private static AttributeProto? Remove(NodeProto node, string attribute)
    {
        var found = node.Attribute.FirstOrDefault(a => a.Name == attribute);
        if (found is not null) node.Attribute.Remove(found);
        return found;
    }
}
