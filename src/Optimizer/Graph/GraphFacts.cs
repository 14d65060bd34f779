using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>What a manifest says of a graph.</summary>
/// <param name="ParameterCount">Weights and biases; neither scales nor zero points of quantization.</param>
/// <param name="Macs">Multiply-accumulate operations per inference of convolutions and linear layers.</param>
/// <param name="Operators">Sorted, with the domain where it is not ONNX's own.</param>
internal sealed record GraphFacts(long ParameterCount, long Macs, IReadOnlyList<string> Operators)
{
    /// <exception cref="InvalidDataException">The graph has an operator whose shape is not known here.</exception>
    public static GraphFacts Of(ModelProto model)
    {
        var graph = model.Graph;
        var shapes = Shapes.Infer(graph);
        var helpers = graph.Node.Where(n => n.OpType is "QuantizeLinear" or "DequantizeLinear").SelectMany(n => n.Input.Skip(1)).ToHashSet();
        var parameters = graph.Initializer.Where(i => !helpers.Contains(i.Name)).Sum(Tensors.ElementCount);
        var operators = graph.Node.Select(n => n.Domain is "" or "ai.onnx" ? n.OpType : $"{n.Domain}:{n.OpType}");
        return new GraphFacts(parameters, graph.Node.Sum(n => MacsOf(n, shapes)), [.. operators.Distinct().Order(StringComparer.Ordinal)]);
    }

    private static long MacsOf(NodeProto node, Dictionary<string, long[]> shapes) => node.OpType switch
    {
        // Each output element is a dot product over one filter.
        "Conv" => Product(shapes[node.Output[0]]) * Product(shapes[node.Input[1]][1..]),
        "Gemm" => Product(shapes[node.Output[0]]) * shapes[node.Input[0]][^1],
        _ => 0,
    };

    private static long Product(IEnumerable<long> shape) => shape.Aggregate(1L, (product, size) => product * size);
}
