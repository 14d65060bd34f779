using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>What a graph is made of and what it costs.</summary>
/// <param name="Layers">One for each node, in order.</param>
/// <param name="Operators">Sorted, with the domain where it is not ONNX's own.</param>
internal sealed record GraphFacts(IReadOnlyList<LayerFacts> Layers, IReadOnlyList<string> Operators)
{
    /// <summary>Weights and biases, each tensor once; neither running statistics of normalization nor scales, zero points and single numbers.</summary>
    public long ParameterCount => Layers.Sum(l => l.ParameterCount);

    /// <summary>Multiply-accumulate operations per image of convolutions and linear layers.</summary>
    public long Macs => Layers.Sum(l => l.Macs);

    /// <summary>Of all constants.</summary>
    public long ByteCount => Layers.Sum(l => l.ByteCount);

    /// <summary>Measures a model as it is, without simplifying it; an open batch counts as 1.</summary>
    /// <param name="model">Is not changed.</param>
    /// <param name="inputShape">Needed where the model leaves more than the batch open.</param>
    /// <exception cref="InvalidDataException">ONNX Runtime cannot run it, or its input's shape is open and none is given.</exception>
    public static GraphFacts Of(ModelProto model, IReadOnlyList<long>? inputShape = null) =>
        Of(model.Graph, ValueShapes.Measure(model, inputShape ?? ModelInput.Of(model, given: null).Shape));

    public static GraphFacts Of(ModelGraph graph) => Of(graph.Model.Graph, graph.Shapes);

    private static GraphFacts Of(GraphProto graph, ValueShapes shapes)
    {
        // Who reads a constant first is who it is counted with.
        var left = graph.Initializer.ToDictionary(i => i.Name);
        var layers = new List<LayerFacts>();
        foreach (var node in graph.Node)
        {
            var (parameters, bytes) = (0L, 0L);
            for (var i = 0; i < node.Input.Count; i++)
            {
                if (!left.Remove(node.Input[i], out var tensor)) continue;
                bytes += Tensors.ElementCount(tensor) * Tensors.ElementSize(tensor);
                if (IsParameter(node, i, tensor)) parameters += Tensors.ElementCount(tensor);
            }

            layers.Add(new LayerFacts(node.Name, Nodes.OperatorOf(node), shapes.TryGet(node.Output[0]) ?? [], parameters, MacsOf(node, shapes), bytes));
        }

        return new GraphFacts(layers, [.. graph.Node.Select(Nodes.OperatorOf).Distinct().Order(StringComparer.Ordinal)]);
    }

    private static bool IsParameter(NodeProto node, int index, TensorProto tensor) => node.OpType switch
    {
        "QuantizeLinear" or "DequantizeLinear" => index == 0,
        "QLinearConv" => index is 3 or 8,
        "BatchNormalization" => index is 1 or 2,
        "Conv" or "Gemm" or "MatMul" or "ConvTranspose" => Tensors.IsFloat(tensor),
        _ => Tensors.IsFloat(tensor) && Tensors.ElementCount(tensor) > 1,
    };

    // Each output element is a dot product over one filter, row or column.
    private static long MacsOf(NodeProto node, ValueShapes shapes) => node.OpType switch
    {
        "Conv" => Product(shapes[node.Output[0]]) * Product(shapes[node.Input[1]].AsSpan(1)),
        "QLinearConv" => Product(shapes[node.Output[0]]) * Product(shapes[node.Input[3]].AsSpan(1)),
        "ConvTranspose" => Product(shapes[node.Input[0]]) * Product(shapes[node.Input[1]].AsSpan(1)),
        "Gemm" => Product(shapes[node.Output[0]]) * shapes[node.Input[0]][Nodes.IntOf(node, "transA", 0) == 0 ? 1 : 0],
        "MatMul" => Product(shapes[node.Output[0]]) * shapes[node.Input[0]][^1],
        _ => 0,
    };

    private static long Product(ReadOnlySpan<long> shape)
    {
        var product = 1L;
        foreach (var size in shape) product *= size;
        return product;
    }
}

/// <summary>One node and what it costs.</summary>
/// <param name="Name">Of the node.</param>
/// <param name="Operator">With its domain where that is not ONNX's own.</param>
/// <param name="OutputShape">Of its first output; empty for a single number.</param>
/// <param name="ParameterCount">Of the constants that it is the first to read.</param>
/// <param name="Macs">Multiply-accumulate operations per image.</param>
/// <param name="ByteCount">Of the same constants.</param>
internal sealed record LayerFacts(string Name, string Operator, IReadOnlyList<long> OutputShape, long ParameterCount, long Macs, long ByteCount);
