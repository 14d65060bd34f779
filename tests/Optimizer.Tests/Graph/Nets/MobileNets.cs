using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph.Nets;

/// <summary>Depthwise separable convolutions, inverted residuals, squeeze and excitation.</summary>
internal static class MobileNets
{
    public static ModelProto V1(int seed)
    {
        var net = new NetBuilder(seed);
        var x = net.ConvNormRelu(NetBuilder.Image, 8, 3, 2);
        foreach (var (channels, stride) in new[] { (16, 1), (24, 2), (24, 1), (32, 2) })
        {
            x = net.ConvNormRelu(x, net.Channels(x), 3, stride, net.Channels(x));
            x = net.ConvNormRelu(x, channels, 1);
        }

        return net.Build(net.Unary("Softmax", net.Linear(net.Flatten(net.Pool("AveragePool", x, 4, 4)), Zoo.Classes), Nodes.Int("axis", 1)));
    }

    public static ModelProto V2(int seed)
    {
        var net = new NetBuilder(seed, openBatch: true);
        var x = net.Relu6(net.Conv(NetBuilder.Image, 8, 3, 2));
        foreach (var (expansion, channels, stride) in new[] { (1, 8, 1), (3, 12, 2), (3, 12, 1), (3, 16, 2), (3, 16, 1) })
        {
            var y = expansion == 1 ? x : net.Relu6(net.Conv(x, net.Channels(x) * expansion, 1));
            y = net.Relu6(net.Conv(y, net.Channels(y), 3, stride, net.Channels(y)));
            y = net.Conv(y, channels, 1);
            x = stride == 1 && net.Channels(x) == channels ? net.Binary("Add", x, y) : y;
        }

        x = net.Relu6(net.Conv(x, 32, 1));
        return net.Build(net.Linear(net.Mean(x), Zoo.Classes));
    }

    public static ModelProto V3(int seed)
    {
        var net = new NetBuilder(seed);
        var x = net.HardSwish(net.Norm(net.Conv(NetBuilder.Image, 8, 3, 2, bias: false)));
        foreach (var (channels, stride) in new[] { (8, 1), (16, 2), (16, 1) })
        {
            var y = net.HardSwish(net.Norm(net.Conv(x, net.Channels(x) * 3, 1, bias: false)));
            y = net.HardSwish(net.Norm(net.Conv(y, net.Channels(y), 5, stride, net.Channels(y), bias: false)));
            y = net.SqueezeExcite(y, 6, "HardSigmoid");
            y = net.Norm(net.Conv(y, channels, 1, bias: false));
            x = stride == 1 && net.Channels(x) == channels ? net.Binary("Add", y, x) : y;
        }

        x = net.GlobalPool(net.HardSwish(net.Norm(net.Conv(x, 48, 1, bias: false))));
        x = net.HardSwish(net.Linear(net.Flatten(x), 40));
        return net.Build(net.Linear(x, Zoo.Classes));
    }

    public static ModelProto EfficientNet(int seed)
    {
        var net = new NetBuilder(seed);
        var x = net.Silu(net.Norm(net.Conv(NetBuilder.Image, 8, 3, 2, bias: false)));
        foreach (var (expansion, channels, stride) in new[] { (1, 8, 1), (4, 12, 2), (4, 12, 1) })
        {
            var y = expansion == 1 ? x : net.Silu(net.Norm(net.Conv(x, net.Channels(x) * expansion, 1, bias: false)));
            y = net.Silu(net.Norm(net.Conv(y, net.Channels(y), 5, stride, net.Channels(y), bias: false)));
            y = net.SqueezeExcite(y, 4, activation: "Silu");
            y = net.Norm(net.Conv(y, channels, 1, bias: false));
            x = stride == 1 && net.Channels(x) == channels ? net.Binary("Add", y, x) : y;
        }

        x = net.Silu(net.Norm(net.Conv(x, 40, 1, bias: false)));
        return net.Build(net.Linear(net.Flatten(net.GlobalPool(x)), Zoo.Classes));
    }

    /// <summary>As tf2onnx writes it: the image NHWC, transposed at once; ReLU6 as Min and Max; Squeeze; MatMul and Add.</summary>
    public static ModelProto Keras(int seed)
    {
        var net = new NetBuilder(seed, channels: 32, side: 32);
        // The same numbers read as height × width × channels.
        net.Graph.Input[0].Type.TensorType.Shape.Dim[3].DimValue = 3;
        var x = net.Add("Transpose", [NetBuilder.Image], [1, 3, 32, 32], Nodes.Ints("perm", 0, 3, 1, 2));
        string Relu6(string value) => net.Add("Min", [net.Relu(value), net.Constant(Tensors.Of($"six{net.Graph.Node.Count}", [6f]))], net.ShapeOf(value));
        x = Relu6(net.Norm(net.Conv(x, 8, 3, 2, bias: false)));
        foreach (var channels in new[] { 16, 24 })
        {
            x = net.Add("Pad", [x, net.Constant(Tensors.Of($"pads{channels}", [0L, 0, 0, 0, 0, 0, 1, 1], 8))],
                [1, net.Channels(x), net.ShapeOf(x)[2] + 1, net.ShapeOf(x)[3] + 1]);
            x = Relu6(net.Norm(net.Conv(x, net.Channels(x), 3, 2, net.Channels(x), bias: false, padding: 0)));
            x = Relu6(net.Norm(net.Conv(x, channels, 1, bias: false)));
        }

        x = net.GlobalPool(x);
        x = net.Add("Squeeze", [x, net.Constant(Tensors.Of("axes", [2L, 3], 2))], [1, net.Channels(x)]);
        return net.Build(net.Unary("Softmax", net.Dense(x, Zoo.Classes)));
    }
}
