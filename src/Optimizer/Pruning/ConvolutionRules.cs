using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>Convolutions and what else works on each channel's plane.</summary>
internal static class ConvolutionRules
{
    public static void Convolution(NodeProto node, ChannelDependencies on)
    {
        var (x, weights, y) = (node.Input[0], node.Input[1], node.Output[0]);
        on.Join(x, 0, y, 0);
        FixPlanes(node, x, on);
        FixPlanes(node, y, on);
        FixPlanes(node, weights, on);
        on.Join(weights, 0, y, 1);
        if (Nodes.InputOf(node, 2) is { } bias) on.Join(bias, 0, y, 1);
        on.Produces(node, weights, 0);

        var group = (int)Nodes.IntOf(node, "group", 1);
        var (inputs, outputs) = (on.Along(x, 1), on.Along(y, 1));
        if (group == 1) on.Join(x, 1, weights, 1);
        else if (group == inputs.Length) Depthwise(node, inputs, outputs, on);
        else Grouped(inputs, outputs, on.Along(weights, 1), group, on);
    }

    public static void Transposed(NodeProto node, ChannelDependencies on)
    {
        if (Nodes.IntOf(node, "group", 1) != 1)
        {
            on.Fix(node);
            return;
        }

        var (x, weights, y) = (node.Input[0], node.Input[1], node.Output[0]);
        on.Join(x, 0, y, 0);
        FixPlanes(node, x, on);
        FixPlanes(node, y, on);
        FixPlanes(node, weights, on);
        on.Join(x, 1, weights, 0);
        on.Join(weights, 1, y, 1);
        if (Nodes.InputOf(node, 2) is { } bias) on.Join(bias, 0, y, 1);
        on.Produces(node, weights, 1);
    }

    /// <summary>Batch and channels pass, height and width must stay.</summary>
    public static void PerChannel(NodeProto node, ChannelDependencies on)
    {
        on.Join(node.Input[0], 0, node.Output[0], 0);
        on.Join(node.Input[0], 1, node.Output[0], 1);
        FixPlanes(node, node.Input[0], on);
        FixPlanes(node, node.Output[0], on);
    }

    // A channel in, its one or few channels out; as many groups as channels are left.
    private static void Depthwise(NodeProto node, int[] inputs, int[] outputs, ChannelDependencies on)
    {
        var multiplier = outputs.Length / inputs.Length;
        for (var i = 0; i < outputs.Length; i++) on.Units.Join(outputs[i], inputs[i / multiplier]);
        on.Count(inputs, (graph, count) =>
        {
            node.Attribute.Single(a => a.Name == "group").I = count;
            graph.Changed();
        });
    }

    // Groups must stay equally wide, so that the same place goes from each.
    private static void Grouped(int[] inputs, int[] outputs, int[] weightInputs, int group, ChannelDependencies on)
    {
        var (inputWidth, outputWidth) = (inputs.Length / group, outputs.Length / group);
        for (var i = 0; i < inputs.Length; i++) on.Units.Join(inputs[i], weightInputs[i % inputWidth]);
        for (var i = 0; i < outputs.Length; i++) on.Units.Join(outputs[i], outputs[i % outputWidth]);
    }

    private static void FixPlanes(NodeProto node, string value, ChannelDependencies on)
    {
        for (var axis = 2; axis < on.ShapeOf(value).Length; axis++) on.Fix(node, value, axis);
    }
}
