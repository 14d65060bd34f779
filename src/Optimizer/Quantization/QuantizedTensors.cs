using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Which activations become bytes: the input and every result that an integer kernel can produce.</summary>
internal static class QuantizedTensors
{
    /// <summary>Names in graph order. Where a Relu or Clip alone reads a result, its output is taken instead, so that both fuse into one kernel. The graph's outputs stay float.</summary>
    /// <exception cref="InvalidDataException">The graph has operators that are not quantized yet, or is quantized already.</exception>
    public static IReadOnlyList<string> Of(GraphProto graph)
    {
        var outputs = graph.Output.Select(o => o.Name).ToHashSet();
        var readers = graph.Node.SelectMany(n => n.Input.Select(i => (Input: i, Node: n))).ToLookup(p => p.Input, p => p.Node);
        var names = new List<string>();
        foreach (var input in graph.Input.Where(i => graph.Initializer.All(t => t.Name != i.Name))) names.Add(input.Name);
        foreach (var node in graph.Node)
        {
            var output = node.Output[0];
            switch (node.OpType)
            {
                case "QuantizeLinear" or "DequantizeLinear":
                    throw new InvalidDataException("The model is quantized already; quantize its float32 form.");
                case "Conv" or "Add" or "Gemm" or "Relu" or "Clip" or "GlobalAveragePool" or "Flatten" or "MaxPool":
                    break;
                case "Softmax" or "Identity":
                    continue;
                default:
                    throw new InvalidDataException($"Node '{node.Name}' is a {node.OpType}, which this version cannot quantize; it knows {Known}.");
            }

            var fused = readers[output].Count() == 1 && readers[output].Single().OpType is "Relu" or "Clip";
            if (!outputs.Contains(output) && !fused) names.Add(output);
        }

        return names;
    }

    private const string Known = "Conv, Add, Gemm, Relu, Clip, MaxPool, GlobalAveragePool and Flatten, and leaves Softmax and Identity in float";

    /// <summary>Whether an operator hands bytes on unchanged, so that its output must keep the grid of its input.</summary>
    public static bool KeepsGrid(NodeProto node) => node.OpType is "Flatten" or "MaxPool";

    /// <summary>Whether a node has weights and a bias to quantize.</summary>
    public static bool HasWeights(NodeProto node) =>
        node.OpType == "Conv" || (node.OpType == "Gemm" && Nodes.IntOf(node, "transB", 0) == 1);
}
