using Onnx;

namespace Dunlin.Optimizer.Tests.Graph.Nets;

/// <summary>ResNet with basic and with bottleneck blocks, and ResNeXt.</summary>
internal static class ResidualNets
{
    public static ModelProto Basic(int seed)
    {
        var net = new NetBuilder(seed, openBatch: true);
        var x = net.ConvNormRelu(NetBuilder.Image, 8);
        foreach (var (channels, stride) in new[] { (8, 1), (8, 1), (16, 2), (16, 1), (32, 2) })
        {
            var y = net.ConvNormRelu(x, channels, 3, stride);
            y = net.Norm(net.Conv(y, channels, bias: false));
            x = net.Relu(net.Binary("Add", y, Shortcut(net, x, channels, stride)));
        }

        return net.Build(net.Linear(net.View(net.GlobalPool(x)), Zoo.Classes));
    }

    public static ModelProto Bottleneck(int seed) => Bottlenecks(seed, 1);

    public static ModelProto Grouped(int seed) => Bottlenecks(seed, 4);

    private static ModelProto Bottlenecks(int seed, int group)
    {
        var net = new NetBuilder(seed);
        var x = net.Pool("MaxPool", net.ConvNormRelu(NetBuilder.Image, 8, 7, 2), 3, 2, 1);
        foreach (var (inner, stride) in new[] { (8, 1), (8, 1), (16, 2), (16, 1) })
        {
            var y = net.ConvNormRelu(x, inner, 1);
            y = net.ConvNormRelu(y, inner, 3, stride, group);
            y = net.Norm(net.Conv(y, inner * 4, 1, bias: false));
            x = net.Relu(net.Binary("Add", y, Shortcut(net, x, inner * 4, stride)));
        }

        return net.Build(net.Linear(net.Flatten(net.GlobalPool(x)), Zoo.Classes));
    }

    private static string Shortcut(NetBuilder net, string x, int channels, int stride) =>
        stride == 1 && net.Channels(x) == channels ? x : net.Norm(net.Conv(x, channels, 1, stride, bias: false));
}
