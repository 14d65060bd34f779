using Dunlin.Optimizer.Graph;
using Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>Operators that move, join, cut or reduce axes. The first is the batch's and must stay so: images are trained on many at once.</summary>
internal static class TorchShapes
{
    public static Func<Tensor[], Tensor>? Compile(NodeProto node, ModelGraph graph) => node.OpType switch
    {
        "Flatten" or "Reshape" or "Squeeze" or "Unsqueeze" => Reshape(node, graph),
        "Transpose" => Transpose(node, graph),
        "Concat" => Concat(node, graph),
        "Slice" => Slice(node, graph),
        "Gather" => Gather(node, graph),
        "Pad" => Pad(node, graph),
        "ReduceMean" => Reduce(node, graph, (x, axes, keep) => x.mean(axes, keep)),
        "ReduceSum" => Reduce(node, graph, (x, axes, keep) => x.sum(axes, keep)),
        "ReduceMax" => Reduce(node, graph, (x, axes, keep) => x.amax(axes, keep)),
        "Softmax" => Softmax(node, graph, (x, axis) => nn.functional.softmax(x, axis)),
        "LogSoftmax" => Softmax(node, graph, (x, axis) => nn.functional.log_softmax(x, axis)),
        _ => null,
    };

    public static TorchOperation Split(NodeProto node, ModelGraph graph)
    {
        var axis = Axis(node, graph, 0);
        long[] sizes = [.. node.Output.Select(o => graph.Shapes[o][axis])];
        return inputs => inputs[0].split(sizes, axis);
    }

    private static Func<Tensor[], Tensor> Reshape(NodeProto node, ModelGraph graph)
    {
        var (from, to) = (graph.Shapes[node.Input[0]], graph.Shapes[node.Output[0]]);
        if (from.Length == 0 || to.Length == 0 || from[0] != to[0] || from[0] != graph.Input.Shape[0])
            throw TorchOperators.Unsupported(node, $"it makes {string.Join('×', to)} of {string.Join('×', from)}, across images of a batch");
        return x => x[0].reshape([x[0].shape[0], .. to[1..]]);
    }

    private static Func<Tensor[], Tensor> Transpose(NodeProto node, ModelGraph graph)
    {
        var rank = graph.Shapes[node.Input[0]].Length;
        var order = Nodes.IntsOf(node, "perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(a => (long)a)];
        if (order[0] != 0) throw TorchOperators.Unsupported(node, "it moves the batch");
        return x => x[0].permute(order);
    }

    private static Func<Tensor[], Tensor> Concat(NodeProto node, ModelGraph graph)
    {
        var axis = Axis(node, graph, 0);
        if (axis == 0) throw TorchOperators.Unsupported(node, "it joins images of a batch");
        return x =>
        {
            // Parts in bfloat16 and in float32 meet in float32.
            var type = x.All(part => part.dtype == x[0].dtype) ? x[0].dtype : ScalarType.Float32;
            // A constant part is there once, for all images.
            var batch = x.Max(part => part.shape[0]);
            return cat([.. x.Select(part => part.to(type).expand([batch, .. part.shape[1..]]))], axis);
        };
    }

    private static Func<Tensor[], Tensor> Slice(NodeProto node, ModelGraph graph)
    {
        var (from, to) = (graph.Shapes[node.Input[0]], graph.Shapes[node.Output[0]]);
        var starts = Numbers(node, graph, "starts", 1) ?? throw TorchOperators.Unsupported(node, "where it starts is computed");
        long[] axes = Numbers(node, graph, "axes", 3) ?? [.. Enumerable.Range(0, starts.Length).Select(a => (long)a)];
        if (Numbers(node, graph, "steps", 4)?.Any(s => s != 1) == true) throw TorchOperators.Unsupported(node, "it leaves places out");
        var cuts = axes.Zip(starts, (a, s) => (Axis: (int)(a < 0 ? a + from.Length : a), Start: s)).ToList();
        if (cuts.Any(c => c.Axis == 0)) throw TorchOperators.Unsupported(node, "it cuts the batch");
        return x => cuts.Aggregate(x[0], (value, cut) => value.narrow(cut.Axis, Math.Clamp(cut.Start < 0 ? cut.Start + from[cut.Axis] : cut.Start, 0, from[cut.Axis]), to[cut.Axis]));
    }

    // Where one place is picked its axis goes, as in x[:, 0].
    private static Func<Tensor[], Tensor> Gather(NodeProto node, ModelGraph graph)
    {
        var (axis, shape) = (Axis(node, graph, 0), graph.Shapes[node.Output[0]]);
        if (axis == 0) throw TorchOperators.Unsupported(node, "it picks images of the batch");
        if (graph.Constant(node.Input[1]) is not { } indices) throw TorchOperators.Unsupported(node, "what it picks is computed");
        var length = graph.Shapes[node.Input[0]][axis];
        long[] places = [.. Tensors.Integers(indices).Select(i => i < 0 ? i + length : i)];
        return x => x[0].index_select(axis, tensor(places)).reshape([x[0].shape[0], .. shape[1..]]);
    }

    private static Func<Tensor[], Tensor> Pad(NodeProto node, ModelGraph graph)
    {
        var mode = node.Attribute.FirstOrDefault(a => a.Name == "mode")?.S.ToStringUtf8() ?? "constant";
        if (mode != "constant" || Nodes.InputOf(node, 3) is not null) throw TorchOperators.Unsupported(node, $"it pads by '{mode}', or only some axes");
        var pads = Numbers(node, graph, "pads", 1) ?? throw TorchOperators.Unsupported(node, "how much is computed");
        var value = Nodes.InputOf(node, 2) is { } input
            ? Tensors.Floats(graph.Constant(input) ?? throw TorchOperators.Unsupported(node, "its value is computed")).Single()
            : Nodes.FloatOf(node, "value", 0);
        var rank = pads.Length / 2;
        if (pads[0] != 0 || pads[rank] != 0) throw TorchOperators.Unsupported(node, "it pads the batch");
        // torch counts from the last axis.
        long[] reversed = [.. Enumerable.Range(1, rank - 1).Reverse().SelectMany(axis => new[] { pads[axis], pads[axis + rank] })];
        return x => nn.functional.pad(x[0], reversed, PaddingModes.Constant, value);
    }

    private static Func<Tensor[], Tensor> Reduce(NodeProto node, ModelGraph graph, Func<Tensor, long[], bool, Tensor> reduction)
    {
        var rank = graph.Shapes[node.Input[0]].Length;
        var named = Numbers(node, graph, "axes", 1) ?? [];
        long[] axes = [.. named.Select(a => a < 0 ? a + rank : a)];
        if (axes.Length == 0 || axes.Contains(0)) throw TorchOperators.Unsupported(node, "it reduces the batch");
        var keep = Nodes.IntOf(node, "keepdims", 1) != 0;
        return x => reduction(x[0], axes, keep);
    }

    private static Func<Tensor[], Tensor> Softmax(NodeProto node, ModelGraph graph, Func<Tensor, long, Tensor> softmax)
    {
        if (Nodes.SoftmaxAxis(node, graph.Opset, graph.Shapes[node.Input[0]]) is not (> 0 and var axis)) throw TorchOperators.Unsupported(node, "it normalizes over several axes, or the batch");
        return x => softmax(x[0].to(ScalarType.Float32), axis);
    }

    private static int Axis(NodeProto node, ModelGraph graph, long absent)
    {
        var axis = Nodes.IntOf(node, "axis", absent);
        return (int)(axis < 0 ? axis + graph.Shapes[node.Input[0]].Length : axis);
    }

    // An attribute in old operator sets, a constant input in new ones.
    private static long[]? Numbers(NodeProto node, ModelGraph graph, string attribute, int index)
    {
        if (Nodes.IntsOf(node, attribute) is { } found) return found;
        return Nodes.InputOf(node, index) is { } input && graph.Constant(input) is { } tensor ? Tensors.Integers(tensor) : null;
    }
}
