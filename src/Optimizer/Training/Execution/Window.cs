using Dunlin.Optimizer.Graph;
using Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>Where a convolution or pooling looks, in height and width.</summary>
/// <param name="Kernel">Size of the window.</param>
/// <param name="Strides">From one to the next.</param>
/// <param name="Dilations">Between its elements.</param>
/// <param name="Begin">Padding before.</param>
/// <param name="End">Padding after.</param>
/// <param name="Beyond">What rounding the output's size up adds after that; it never counts in an average.</param>
internal sealed record Window(long[] Kernel, long[] Strides, long[] Dilations, long[] Begin, long[] End, long[] Beyond)
{
    /// <summary>Whether torch can pad by itself.</summary>
    public bool IsEven => Begin.SequenceEqual(End) && Beyond.All(b => b == 0);

    /// <summary>Whether each window is a pixel of the image.</summary>
    public bool IsOnePixel => Kernel.All(k => k == 1) && Begin.Concat(End).Concat(Beyond).All(padding => padding == 0);

    /// <summary>Whether no window lies in the padding alone, which torch demands of pooling.</summary>
    public bool IsNarrow => Begin.Zip(Kernel).All(p => p.First <= p.Second / 2);

    /// <exception cref="InvalidDataException">Not of height and width.</exception>
    public static Window Of(NodeProto node, ModelGraph graph)
    {
        var (input, output) = (graph.Shapes[node.Input[0]], graph.Shapes[node.Output[0]]);
        if (input.Length != 4) throw TorchOperators.Unsupported(node, $"its input has {input.Length} dimensions instead of batch, channels, height and width");
        var kernel = node.OpType == "Conv" ? graph.Shapes[node.Input[1]][2..] : Nodes.IntsOf(node, "kernel_shape", 2, 1);
        var strides = Nodes.IntsOf(node, "strides", 2, 1);
        var dilations = Nodes.IntsOf(node, "dilations", 2, 1);
        var reach = new long[2];
        for (var i = 0; i < 2; i++) reach[i] = (output[2 + i] - 1) * strides[i] + dilations[i] * (kernel[i] - 1) + 1;
        var (begin, end) = Padding(node, input, reach);
        long[] beyond = [.. reach.Select((r, i) => Math.Max(0, r - input[2 + i] - begin[i] - end[i]))];
        return new Window(kernel, strides, dilations, begin, end, beyond);
    }

    /// <summary>Puts a frame around an image.</summary>
    /// <param name="image">Batch, channels, height, width.</param>
    /// <param name="value">Of the padding.</param>
    /// <param name="beyond">Of what lies beyond it; the same if not given.</param>
    public Tensor Pad(Tensor image, double value, double? beyond = null)
    {
        var padded = nn.functional.pad(image, [Begin[1], End[1], Begin[0], End[0]], PaddingModes.Constant, value);
        return Beyond.All(b => b == 0) ? padded : nn.functional.pad(padded, [0, Beyond[1], 0, Beyond[0]], PaddingModes.Constant, beyond ?? value);
    }

    private static (long[] Begin, long[] End) Padding(NodeProto node, long[] input, long[] reach)
    {
        var rule = node.Attribute.FirstOrDefault(a => a.Name == "auto_pad")?.S.ToStringUtf8() ?? "NOTSET";
        if (rule is not ("SAME_UPPER" or "SAME_LOWER"))
        {
            var pads = rule == "VALID" ? new long[4] : Nodes.IntsOf(node, "pads", 4, 0);
            return (pads[..2], pads[2..]);
        }

        long[] total = [.. reach.Select((r, i) => Math.Max(0, r - input[2 + i]))];
        long[] less = [.. total.Select(t => t / 2)], more = [.. total.Select(t => t - t / 2)];
        return rule == "SAME_UPPER" ? (less, more) : (more, less);
    }
}
