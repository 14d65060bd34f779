using System.Text.RegularExpressions;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Inspection;

/// <summary>A model layer by layer, as ONNX Runtime on this machine computes it.</summary>
/// <param name="Layers">Convolutions and linear layers, in order.</param>
/// <param name="Between">What is computed between them.</param>
/// <param name="Kernels">How many of each operator ONNX Runtime runs.</param>
/// <param name="IsQuantized">Whether the model has quantized anything.</param>
internal sealed record LayerTable(IReadOnlyList<LayerRow> Layers, IReadOnlyList<BetweenRow> Between, IReadOnlyDictionary<string, int> Kernels, bool IsQuantized)
{
    /// <summary>Layers of a quantized model that are computed in float nevertheless.</summary>
    public IEnumerable<LayerRow> Unfused => IsQuantized ? Layers.Where(l => l.Kernel.Length > 0 && !KernelProfile.IsInteger(l.Kernel)) : [];

    /// <summary>Optimizes, runs and reads back.</summary>
    /// <exception cref="InvalidDataException">ONNX Runtime cannot run it.</exception>
    public static LayerTable Of(ModelGraph graph)
    {
        var kernels = KernelProfile.Measure(graph);
        var facts = GraphFacts.Of(graph).Layers.ToDictionary(l => l.Name);
        var layers = graph.Nodes.Where(n => facts[n.Name].Macs > 0).ToList();
        var owners = kernels.ToLookup(k => LayerOf(graph, layers, k)?.Name);
        return new LayerTable(
            [.. layers.Select(n => Row(graph, n, facts, [.. owners[n.Name]]))],
            [.. owners[null].GroupBy(k => k.Operator).Select(g => new BetweenRow(g.Key, g.Count(), g.Sum(k => k.Microseconds)))],
            new SortedDictionary<string, int>(kernels.CountBy(k => k.Operator).ToDictionary(), StringComparer.Ordinal),
            ModelPrecision.FirstInteger(graph) is not null);
    }

    private static LayerRow Row(ModelGraph graph, NodeProto node, Dictionary<string, LayerFacts> facts, List<Kernel> kernels)
    {
        // Weights of a quantized layer are read by the nodes that dequantize them.
        var own = node.Input.Select(graph.Producer).OfType<NodeProto>().Where(p => p.Input.All(i => i.Length == 0 || graph.Constant(i) is not null))
            .Append(node).Distinct().Select(n => facts[n.Name]).ToList();
        return new LayerRow(
            node.Name, node.OpType, facts[node.Name].OutputShape, own.Sum(f => f.ParameterCount), facts[node.Name].Macs, own.Sum(f => f.ByteCount),
            kernels.Count > 0 ? string.Join(" + ", kernels.Select(k => k.Operator).Distinct()) : "", kernels.Count > 0 ? kernels.Sum(k => k.Microseconds) : null);
    }

    /// <summary>By the weights, which keep their names unless they were laid out anew; then the kernel's own name has an end of the layer's values in it.</summary>
    private static NodeProto? LayerOf(ModelGraph graph, List<NodeProto> layers, Kernel kernel)
    {
        if (!KernelProfile.IsLayer(kernel.Operator)) return null;
        if (layers.FirstOrDefault(l => WeightsOf(graph, l).Any(kernel.Inputs.Contains)) is { } byWeights) return byWeights;
        var value = Regex.Replace(kernel.Name, @"(_nchwc|_token_\d+)+$", "");
        var node = graph.Producer(value) ?? graph.Nodes.FirstOrDefault(n => n.Name == value);
        while (node is not null && !layers.Contains(node)) node = node.Input.Where(i => i.Length > 0 && graph.Constant(i) is null).ToList() is [var only] ? graph.Producer(only) : null;
        return node;
    }

    private static IEnumerable<string> WeightsOf(ModelGraph graph, NodeProto layer) =>
        graph.Constant(layer.Input[1]) is not null ? [layer.Input[1]] : graph.Producer(layer.Input[1])?.Input.Take(1) ?? [];
}

/// <summary>One convolution or linear layer.</summary>
/// <param name="Name">Of the node.</param>
/// <param name="Operator">Of ONNX.</param>
/// <param name="OutputShape">With the batch.</param>
/// <param name="ParameterCount">Weights and biases.</param>
/// <param name="Macs">Multiply-accumulate operations per image.</param>
/// <param name="ByteCount">Of its constants.</param>
/// <param name="Kernel">The operator as ONNX Runtime runs it; empty if it was not found again.</param>
/// <param name="Microseconds">Of one inference on one thread, while ONNX Runtime's profiler looks on.</param>
internal sealed record LayerRow(string Name, string Operator, IReadOnlyList<long> OutputShape, long ParameterCount, long Macs, long ByteCount, string Kernel, double? Microseconds);

/// <summary>Kernels of one operator that belong to no layer.</summary>
internal sealed record BetweenRow(string Operator, int Count, double Microseconds);
