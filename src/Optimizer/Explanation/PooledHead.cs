using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Explanation;

/// <summary>The end of a classifier that class activation mapping needs: global pooling, and at most one linear layer after it.</summary>
/// <param name="Activation">What is pooled.</param>
/// <param name="IsChannelsLast">Its layout.</param>
/// <param name="Weights">Of the linear layer; null where the pooled channels are the classes themselves.</param>
/// <param name="IsClassesFirst">The layout of the weights.</param>
internal sealed record PooledHead(string Activation, bool IsChannelsLast, string? Weights, bool IsClassesFirst)
{
    // What moves no score past another, or is the bias; and what keeps channels apart once height and width are gone.
    private static readonly HashSet<string> AfterLinear = ["Softmax", "LogSoftmax", "Sigmoid", "Add", .. Passing];
    private static readonly HashSet<string> BeforeLinear = ["Clip", "Relu", "Dropout", .. Passing];
    private static string[] Passing => ["QuantizeLinear", "DequantizeLinear", "Flatten", "Reshape", "Squeeze", "Unsqueeze", "Transpose", "Identity"];

    /// <returns>Null if the graph ends otherwise.</returns>
    public static PooledHead? Find(ModelGraph graph)
    {
        var scores = Above(graph, graph.Output, AfterLinear);
        if (graph.Producer(scores) is not { } last) return null;
        if (Pooled(graph, last) is { } classes) return new PooledHead(classes.Value, classes.IsChannelsLast, null, IsClassesFirst: true);
        if (LinearWeights(graph, last) is not var (weights, classesFirst) || graph.Producer(Above(graph, last.Input[0], BeforeLinear)) is not { } pool) return null;
        return Pooled(graph, pool) is var (activation, isChannelsLast) && ElementCount(graph, last.Input[0]) == ElementCount(graph, pool.Output[0])
            ? new PooledHead(activation, isChannelsLast, weights, classesFirst)
            : null;
    }

    private static string Above(ModelGraph graph, string value, HashSet<string> passing)
    {
        while (graph.Producer(value) is { } node && passing.Contains(node.OpType) && node.Input.Where(i => i.Length > 0 && !IsStatic(graph, i)).ToList() is [var only]) value = only;
        return value;
    }

    private static (string Value, bool IsChannelsLast)? Pooled(ModelGraph graph, NodeProto node)
    {
        if (graph.Shapes.TryGet(node.Input[0]) is not { Length: 4 } shape) return null;
        return node.OpType switch
        {
            "GlobalAveragePool" => (node.Input[0], false),
            "AveragePool" when CoversAll(node, shape) => (node.Input[0], false),
            "ReduceMean" when Axes(graph, node) is { } axes && axes.SequenceEqual([2L, 3L]) => (node.Input[0], false),
            "ReduceMean" when Axes(graph, node) is { } axes && axes.SequenceEqual([1L, 2L]) => (node.Input[0], true),
            _ => null,
        };
    }

    private static bool CoversAll(NodeProto node, long[] shape) =>
        (Nodes.IntsOf(node, "kernel_shape") ?? []).SequenceEqual(shape.Skip(2)) && Nodes.IntsOf(node, "pads", 4, 0).All(p => p == 0);

    private static long[]? Axes(ModelGraph graph, NodeProto node) =>
        (Nodes.IntsOf(node, "axes") ?? (graph.Constant(Nodes.InputOf(node, 1)) is { } tensor ? Tensors.Integers(tensor) : null))?.Select(a => a < 0 ? a + 4 : a).Order().ToArray();

    private static (string Weights, bool ClassesFirst)? LinearWeights(ModelGraph graph, NodeProto node)
    {
        if (node.Input.Count < 2 || !IsStatic(graph, node.Input[1]) || IsStatic(graph, node.Input[0])) return null;
        return node.OpType switch
        {
            "Gemm" when Nodes.IntOf(node, "transA", 0) == 0 => (node.Input[1], Nodes.IntOf(node, "transB", 0) == 1),
            "MatMul" => (node.Input[1], false),
            "Conv" when graph.Shapes[node.Input[1]].Skip(2).All(k => k == 1) && Nodes.IntOf(node, "group", 1) == 1 => (node.Input[1], true),
            _ => null,
        };
    }

    private static bool IsStatic(ModelGraph graph, string value) =>
        graph.Constant(value) is not null || (graph.Producer(value) is { } node && node.Input.All(i => i.Length == 0 || IsStatic(graph, i)));

    private static long ElementCount(ModelGraph graph, string value) => graph.Shapes[value].Aggregate(1L, (a, b) => a * b);
}
