using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>Operators that move, join or cut axes.</summary>
internal static class ShapeRules
{
    public static void Apply(NodeProto node, ChannelDependencies on)
    {
        switch (node.OpType)
        {
            case "Transpose":
                Transpose(node, on);
                break;
            case "Concat":
                Concat(node, on);
                break;
            case "Split":
                Split(node, on);
                break;
            case "Flatten" or "Squeeze" or "Unsqueeze":
                Regroup(node, on);
                break;
            case "Reshape" when on.Graph.Constant(node.Input[1]) is { } shape:
                Regroup(node, on);
                CountInShape(node, shape, on);
                break;
            case "ReduceMean" or "ReduceSum" or "ReduceMax" or "ReduceMin" or "ReduceL1" or "ReduceL2" when Axes(node, on) is { } axes:
                Reduce(node, axes, on);
                break;
            case "Pad" when Pads(node, on) is { } pads:
                AllBut(node, axis => pads[axis] != 0 || pads[axis + pads.Length / 2] != 0, on);
                break;
            case "Slice":
                Slice(node, on);
                break;
            default:
                on.Fix(node);
                break;
        }
    }

    // Axes of equal meaning before and after, but some along which places move.
    private static void AllBut(NodeProto node, Func<int, bool> isMixed, ChannelDependencies on)
    {
        for (var axis = 0; axis < on.ShapeOf(node.Output[0]).Length; axis++)
        {
            if (!isMixed(axis))
            {
                on.Join(node.Input[0], axis, node.Output[0], axis);
                continue;
            }

            on.Fix(node, node.Input[0], axis);
            on.Fix(node, node.Output[0], axis);
        }
    }

    private static void Transpose(NodeProto node, ChannelDependencies on)
    {
        var rank = on.ShapeOf(node.Input[0]).Length;
        var order = Nodes.IntsOf(node, "perm") ?? [.. Enumerable.Range(0, rank).Reverse().Select(a => (long)a)];
        for (var axis = 0; axis < rank; axis++) on.Join(node.Input[0], (int)order[axis], node.Output[0], axis);
    }

    private static void Concat(NodeProto node, ChannelDependencies on)
    {
        var joint = ChannelRules.Axis(node, on, 0);
        var output = node.Output[0];
        var offset = 0;
        foreach (var input in node.Input)
        {
            for (var axis = 0; axis < on.ShapeOf(output).Length; axis++)
                if (axis != joint) on.Join(input, axis, output, axis);
            var labels = on.Along(input, joint);
            on.Units.Join(labels, on.Along(output, joint)[offset..(offset + labels.Length)]);
            offset += labels.Length;
        }
    }

    // Sizes that are computed cannot be written anew.
    private static void Split(NodeProto node, ChannelDependencies on)
    {
        if (Nodes.InputOf(node, 1) is { } computed && on.Graph.Constant(computed) is null)
        {
            on.Fix(node);
            return;
        }

        var cut = ChannelRules.Axis(node, on, 0);
        var whole = on.Along(node.Input[0], cut);
        long[] sizes = [.. node.Output.Select(output => on.ShapeOf(output)[cut])];
        var offset = 0;
        for (var part = 0; part < node.Output.Count; part++)
        {
            var output = node.Output[part];
            for (var axis = 0; axis < on.ShapeOf(output).Length; axis++)
                if (axis != cut) on.Join(node.Input[0], axis, output, axis);
            var labels = on.Along(output, cut);
            on.Units.Join(labels, whole[offset..(offset + labels.Length)]);
            offset += labels.Length;
            var place = part;
            on.Count(labels, (graph, count) => WritePart(graph, node, sizes, place, count));
        }
    }

    // Sizes are an attribute before operator set 13. Equal parts need none, or only their number since 18: they may not stay equal.
    private static void WritePart(ModelGraph graph, NodeProto node, long[] sizes, int part, long count)
    {
        if (sizes[part] == count) return;
        if (graph.Opset < 13)
        {
            if (Nodes.IntsOf(node, "split") is null) node.Attribute.Add(Nodes.Ints("split", sizes));
            node.Attribute.Single(a => a.Name == "split").Ints[part] = count;
            return;
        }

        if (Nodes.InputOf(node, 1) is null)
        {
            if (node.Attribute.FirstOrDefault(a => a.Name == "num_outputs") is { } number) node.Attribute.Remove(number);
            var own = Tensors.Of(graph.FreshName($"{node.Name}.sizes"), sizes, sizes.Length);
            graph.SetConstant(own);
            while (node.Input.Count > 1) node.Input.RemoveAt(1);
            node.Input.Add(own.Name);
        }

        WriteOwn(graph, node, input: 1, part, count);
    }

    // Where it cuts must be a constant of the node too. An attribute of old operator sets stays, and with it the axis that it cuts.
    private static void Slice(NodeProto node, ChannelDependencies on)
    {
        var (x, y) = (node.Input[0], node.Output[0]);
        var (from, to) = (on.ShapeOf(x), on.ShapeOf(y));
        long[]? Constant(int index) => Nodes.InputOf(node, index) is { } input && on.Graph.Constant(input) is { } tensor ? Tensors.Integers(tensor) : null;
        var starts = Constant(1);
        long[]? axes = Nodes.InputOf(node, 3) is null ? [.. Enumerable.Range(0, starts?.Length ?? 0).Select(a => (long)a)] : Constant(3);
        int PlaceOf(int axis) => Array.FindIndex(axes!, a => (a < 0 ? a + from.Length : a) == axis);
        // −1 keeps the length and turns the order round.
        bool HasStep(int axis) =>
            Nodes.InputOf(node, 4) is not null && (starts is null || axes is null || (PlaceOf(axis) is >= 0 and var place && Constant(4)?[place] != 1));
        if (starts is null || axes is null || Constant(2) is null || (Nodes.InputOf(node, 4) is not null && Constant(4)?.All(s => s == 1) != true))
        {
            AllBut(node, axis => from[axis] != to[axis] || HasStep(axis), on);
            return;
        }

        for (var axis = 0; axis < from.Length; axis++)
        {
            var place = PlaceOf(axis);
            // One that cuts nothing begins at the front and ends beyond the last, and so it will when there are fewer.
            if (place < 0 || from[axis] == to[axis])
            {
                on.Join(x, axis, y, axis);
                continue;
            }

            var start = (int)Math.Clamp(starts[place] < 0 ? starts[place] + from[axis] : starts[place], 0, from[axis]);
            var end = start + (int)to[axis];
            var labels = on.Along(x, axis);
            on.Units.Join(labels[start..end], on.Along(y, axis));
            on.Count(labels[..start], (graph, count) => WriteOwn(graph, node, input: 1, place, count));
            on.Count(labels[..end], (graph, count) => WriteOwn(graph, node, input: 2, place, count));
        }
    }

    private static void Reduce(NodeProto node, long[] axes, ChannelDependencies on)
    {
        var rank = on.ShapeOf(node.Input[0]).Length;
        var reduced = axes.Length == 0 ? [.. Enumerable.Range(0, rank)] : axes.Select(a => (int)(a < 0 ? a + rank : a)).ToHashSet();
        var keeps = Nodes.IntOf(node, "keepdims", 1) != 0;
        var target = 0;
        for (var axis = 0; axis < rank; axis++)
        {
            if (reduced.Contains(axis))
            {
                on.Fix(node, node.Input[0], axis);
                if (keeps) target++;
            }
            else
            {
                on.Join(node.Input[0], axis, node.Output[0], target++);
            }
        }
    }

    // Axes by stretches of equal size before and after: alone they pass, several made one follow the one of them that may change.
    private static void Regroup(NodeProto node, ChannelDependencies on)
    {
        var (x, y) = (node.Input[0], node.Output[0]);
        var (from, to) = (on.ShapeOf(x), on.ShapeOf(y));
        var (i, j) = (0, 0);
        while (i < from.Length || j < to.Length)
        {
            var (firstIn, firstOut) = (i, j);
            var (before, after) = (Take(from, ref i), Take(to, ref j));
            while (before != after)
            {
                if (before < after) before *= Take(from, ref i);
                else after *= Take(to, ref j);
            }

            Stretch(node, [.. Long(from, firstIn, i)], [.. Long(to, firstOut, j)], on);
        }
    }

    private static long Take(long[] shape, ref int at) => at < shape.Length ? shape[at++] : 1;

    private static IEnumerable<int> Long(long[] shape, int begin, int end) => Enumerable.Range(begin, end - begin).Where(axis => shape[axis] != 1);

    private static void Stretch(NodeProto node, int[] before, int[] after, ChannelDependencies on)
    {
        var (x, y) = (node.Input[0], node.Output[0]);
        if (before.Length == 1 && after.Length == 1)
        {
            on.Join(x, before[0], y, after[0]);
            return;
        }

        var free = before.Where(axis => !on.Units.IsFixed(on.Along(x, axis))).ToList();
        if (after.Length == 1 && free is [var only])
        {
            var (labels, merged) = (on.Along(x, only), on.Along(y, after[0]));
            var inner = before.Where(axis => axis > only).Aggregate(1L, (product, axis) => product * on.ShapeOf(x)[axis]);
            for (var place = 0; place < merged.Length; place++) on.Units.Join(merged[place], labels[place / inner % labels.Length]);
            return;
        }

        // One made several, as before channels are shuffled: the longest may lose places, the same ones at every place of the others.
        var longest = before.Length == 1 ? after.MaxBy(axis => on.ShapeOf(y)[axis]) : -1;
        if (longest >= 0)
        {
            var (whole, part) = (on.Along(x, before[0]), on.Along(y, longest));
            var inner = after.Where(axis => axis > longest).Aggregate(1L, (product, axis) => product * on.ShapeOf(y)[axis]);
            for (var place = 0; place < whole.Length; place++) on.Units.Join(whole[place], part[place / inner % part.Length]);
        }
        else
        {
            foreach (var axis in before) on.Fix(node, x, axis);
        }

        foreach (var axis in after)
            if (axis != longest) on.Fix(node, y, axis);
    }

    private static void CountInShape(NodeProto node, TensorProto shape, ChannelDependencies on)
    {
        var sizes = Tensors.Integers(shape);
        for (var axis = 0; axis < sizes.Length; axis++)
        {
            if (sizes[axis] <= 0) continue;
            var place = axis;
            on.Count(on.Along(node.Output[0], axis), (graph, count) => WriteOwn(graph, node, input: 1, place, count));
        }
    }

    // Another node may read the same constant.
    private static void WriteOwn(ModelGraph graph, NodeProto node, int input, int place, long count)
    {
        var values = Tensors.Integers(graph.Constant(node.Input[input])!);
        if (values[place] == count) return;
        values[place] = count;
        if (graph.Consumers(node.Input[input]).Count() > 1) node.Input[input] = graph.FreshName($"{node.Name}.sizes");
        graph.SetConstant(Tensors.Of(node.Input[input], values, values.Length));
    }

    private static long[]? Axes(NodeProto node, ChannelDependencies on)
    {
        if (Nodes.IntsOf(node, "axes") is { } attribute) return attribute;
        if (Nodes.InputOf(node, 1) is not { } input) return Nodes.IntOf(node, "noop_with_empty_axes", 0) == 0 ? [] : null;
        return on.Graph.Constant(input) is { } tensor ? Tensors.Integers(tensor) : null;
    }

    private static long[]? Pads(NodeProto node, ChannelDependencies on)
    {
        if (Nodes.InputOf(node, 3) is not null) return null;
        if (Nodes.IntsOf(node, "pads") is { } attribute) return attribute;
        return Nodes.InputOf(node, 1) is { } input && on.Graph.Constant(input) is { } tensor ? Tensors.Integers(tensor) : null;
    }
}
