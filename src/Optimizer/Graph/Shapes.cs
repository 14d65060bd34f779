using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>Shapes of all values of a graph, for the operators that image classifiers of ours are made of.</summary>
internal static class Shapes
{
    /// <summary>By value name; an open batch dimension counts as 1.</summary>
    /// <exception cref="InvalidDataException">The graph has an operator or an open shape that is not known here.</exception>
    public static Dictionary<string, long[]> Infer(GraphProto graph)
    {
        var shapes = graph.Initializer.ToDictionary(i => i.Name, i => i.Dims.ToArray());
        foreach (var input in graph.Input)
        {
            if (shapes.ContainsKey(input.Name)) continue;
            var dimensions = input.Type.TensorType.Shape.Dim;
            shapes[input.Name] = [.. dimensions.Select((d, i) => d.HasDimValue ? d.DimValue : i == 0 ? 1
                : throw new InvalidDataException($"Input '{input.Name}' leaves dimension {i} open; only the batch may be."))];
        }

        foreach (var node in graph.Node) shapes[node.Output[0]] = Output(node, i => Known(shapes, node, i));
        return shapes;
    }

    private static long[] Known(Dictionary<string, long[]> shapes, NodeProto node, int index) =>
        index < node.Input.Count && shapes.TryGetValue(node.Input[index], out var shape)
            ? shape
            : throw new InvalidDataException($"Node '{node.Name}' ({node.OpType}) has no known input {index}; are the nodes in order?");

    private static long[] Output(NodeProto node, Func<int, long[]> input) => node.OpType switch
    {
        "Relu" or "Clip" or "Add" or "Identity" or "Softmax" or "QuantizeLinear" or "DequantizeLinear" => input(0),
        "Conv" => Window(node, input(0), input(1)[0], [.. input(1)[2..]]),
        "MaxPool" or "AveragePool" => Window(node, input(0), input(0)[1], Nodes.IntsOf(node, "kernel_shape", 2, 1)),
        "GlobalAveragePool" => [input(0)[0], input(0)[1], 1, 1],
        "Flatten" => [input(0)[0], input(0)[1..].Aggregate(1L, (a, b) => a * b)],
        "Gemm" => [input(0)[0], Nodes.IntOf(node, "transB", 0) == 0 ? input(1)[1] : input(1)[0]],
        _ => throw new InvalidDataException($"Node '{node.Name}' is a {node.OpType}, which this version does not know."),
    };

    private static long[] Window(NodeProto node, long[] input, long channels, long[] kernel)
    {
        var pads = Nodes.IntsOf(node, "pads", 4, 0);
        var strides = Nodes.IntsOf(node, "strides", 2, 1);
        var dilations = Nodes.IntsOf(node, "dilations", 2, 1);
        long Size(int axis) =>
            (input[2 + axis] + pads[axis] + pads[2 + axis] - dilations[axis] * (kernel[axis] - 1) - 1) / strides[axis] + 1;
        return [input[0], channels, Size(0), Size(1)];
    }
}
