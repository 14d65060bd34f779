using Onnx;

namespace Dunlin.Optimizer.Tests.Graph.Nets;

/// <summary>Networks that put channels side by side.</summary>
internal static class ConcatenatingNets
{
    public static ModelProto DenseNet(int seed)
    {
        var net = new NetBuilder(seed, openBatch: true);
        var x = net.ConvNormRelu(NetBuilder.Image, 8, 3, 2);
        for (var block = 0; block < 2; block++)
        {
            for (var layer = 0; layer < 3; layer++)
            {
                var y = net.Conv(net.Relu(net.Norm(x)), 16, 1, bias: false);
                y = net.Conv(net.Relu(net.Norm(y)), 6, bias: false);
                x = net.Concat(x, y);
            }

            if (block == 0) x = net.Pool("AveragePool", net.Conv(net.Relu(net.Norm(x)), net.Channels(x) / 2, 1, bias: false));
        }

        return net.Build(net.Linear(net.View(net.GlobalPool(net.Relu(net.Norm(x)))), Zoo.Classes));
    }

    public static ModelProto SqueezeNet(int seed)
    {
        var net = new NetBuilder(seed);
        var x = net.Pool("MaxPool", net.Relu(net.Conv(NetBuilder.Image, 16, 3, 2)), 3);
        foreach (var squeeze in new[] { 4, 4, 8 })
        {
            var s = net.Relu(net.Conv(x, squeeze, 1));
            x = net.Concat(net.Relu(net.Conv(s, squeeze * 3, 1)), net.Relu(net.Conv(s, squeeze * 3)));
        }

        // The classifier is a convolution.
        x = net.Relu(net.Conv(net.Unary("Dropout", x), Zoo.Classes, 1));
        return net.Build(net.Flatten(net.GlobalPool(x)));
    }

    public static ModelProto Inception(int seed)
    {
        var net = new NetBuilder(seed);
        var x = net.Pool("MaxPool", net.ConvNormRelu(NetBuilder.Image, 12, 3, 2), 3, 2, 1);
        for (var module = 0; module < 2; module++)
        {
            var a = net.ConvNormRelu(x, 8, 1);
            var b = net.ConvNormRelu(net.ConvNormRelu(x, 6, 1), 10);
            var c = net.Conv(net.ConvNormRelu(x, 4, 1), 6, 1, kernelWidth: 7, bias: false);
            c = net.Relu(net.Norm(net.Conv(c, 6, 7, kernelWidth: 1, bias: false)));
            var d = net.ConvNormRelu(net.Pool("AveragePool", x, 3, 1, 1), 4, 1);
            x = net.Concat(a, b, c, d);
        }

        return net.Build(net.Linear(net.Flatten(net.GlobalPool(x)), Zoo.Classes));
    }
}
