using Dunlin.Optimizer.Graph;
using Onnx;
using TorchSharp;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>Convolutions and pooling.</summary>
internal static class TorchWindows
{
    private static readonly long[] NoPadding = [0, 0];

    public static Func<Tensor[], Tensor>? Compile(NodeProto node, ModelGraph graph) => node.OpType switch
    {
        "Conv" => Convolution(node, Window.Of(node, graph)),
        "MaxPool" when node.Output.Count == 1 => Largest(Window.Of(node, graph)),
        "AveragePool" => Average(node, Window.Of(node, graph)),
        "GlobalAveragePool" => x => x[0].mean([.. Planes(x[0])], keepdim: true),
        "GlobalMaxPool" => x => x[0].amax([.. Planes(x[0])], keepdim: true),
        _ => null,
    };

    private static IEnumerable<long> Planes(Tensor x) => Enumerable.Range(2, (int)x.dim() - 2).Select(axis => (long)axis);

    private static Func<Tensor[], Tensor> Convolution(NodeProto node, Window window)
    {
        var group = Nodes.IntOf(node, "group", 1);
        if (window.IsOnePixel && group == 1)
            return x => OfPixels(Thinned(x[0].to(x[1].dtype), window.Strides), x[1], x.Length > 2 ? x[2] : null);
        if (window.IsOnePixel)
            return x => nn.functional.conv2d(ChannelsLast(Thinned(x[0].to(x[1].dtype), window.Strides)), x[1], x.Length > 2 ? x[2] : null, groups: group);
        return x =>
        {
            var image = ChannelsLast(x[0].to(x[1].dtype));
            if (!window.IsEven) image = window.Pad(image, 0);
            return nn.functional.conv2d(image, x[1], x.Length > 2 ? x[2] : null, window.Strides, window.IsEven ? window.Begin : NoPadding, window.Dilations, group);
        };
    }

    // One pixel at a time, a convolution is a matrix product.
    private static Tensor OfPixels(Tensor image, Tensor weights, Tensor? bias) =>
        nn.functional.linear(image.movedim([1], [-1]), weights.flatten(1), bias).movedim([-1], [1]);

    // The pixels that a strided convolution of one pixel looks at. oneDNN takes them out by itself, and where there are fewer
    // channels than a register holds, it writes past its workspace and spoils gradients and heap (github.com/uxlfoundation/oneDNN/issues/6035).
    private static Tensor Thinned(Tensor image, long[] strides) => strides.All(s => s == 1)
        ? image
        : image.slice(2, 0, image.shape[2], strides[0]).slice(3, 0, image.shape[3], strides[1]);

    // The order in memory that oneDNN convolves fastest in; what follows a convolution keeps it, so that only the first one copies.
    private static Tensor ChannelsLast(Tensor image) => image.dim() == 4 ? image.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : image;

    private static Func<Tensor[], Tensor> Largest(Window window) => window.IsEven && window.IsNarrow
        ? x => nn.functional.max_pool2d(x[0], window.Kernel, window.Strides, window.Begin, window.Dilations)
        : x => nn.functional.max_pool2d(window.Pad(x[0], double.NegativeInfinity), window.Kernel, window.Strides, NoPadding, window.Dilations);

    private static Func<Tensor[], Tensor> Average(NodeProto node, Window window)
    {
        if (window.Dilations.Any(d => d != 1)) throw TorchOperators.Unsupported(node, "it averages with gaps");
        var counts = Nodes.IntOf(node, "count_include_pad", 0) != 0;
        if (window.IsEven && window.IsNarrow)
            return x => nn.functional.avg_pool2d(x[0], window.Kernel, window.Strides, window.Begin, count_include_pad: counts);
        // The mean over a padded window, divided by the share of it that counts.
        return x =>
        {
            Tensor Pool(Tensor padded) => nn.functional.avg_pool2d(padded, window.Kernel, window.Strides, NoPadding);
            var ones = torch.ones([1, 1, .. x[0].shape[2..]], x[0].dtype);
            return Pool(window.Pad(x[0], 0)).div(Pool(window.Pad(ones, counts ? 1 : 0, beyond: 0)));
        };
    }
}
