using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph.Nets;

/// <summary>One layer after the other, and a flattened image before the linear ones.</summary>
internal static class PlainNets
{
    public static ModelProto Vgg(int seed)
    {
        var net = new NetBuilder(seed, openBatch: true);
        var x = NetBuilder.Image;
        foreach (var channels in new[] { 8, 12, 16 })
        {
            x = net.Relu(net.Conv(x, channels));
            x = net.Pool("MaxPool", net.Relu(net.Conv(x, channels)));
        }

        x = net.Unary("Dropout", net.Relu(net.Linear(net.View(x), 48)));
        return net.Build(net.Linear(net.Relu(net.Linear(x, 32)), Zoo.Classes));
    }

    /// <summary>ShuffleNetV2: half of the channels passes, the other is worked on, and both are shuffled.</summary>
    public static ModelProto ShuffleNet(int seed)
    {
        var net = new NetBuilder(seed);
        var x = net.Pool("MaxPool", net.ConvNormRelu(NetBuilder.Image, 16, 3, 2), 3, 2, 1);
        for (var block = 0; block < 3; block++)
        {
            var (passes, y) = (net.Slice(x, 1, 0, 8), net.Slice(x, 1, 8, 16));
            y = net.ConvNormRelu(y, 12, 1);
            y = net.Norm(net.Conv(y, 12, 3, group: 12, bias: false));
            x = net.Shuffle(net.Concat(passes, net.ConvNormRelu(y, 8, 1)), 2);
        }

        return net.Build(net.Linear(net.Mean(net.ConvNormRelu(x, 32, 1)), Zoo.Classes));
    }

    /// <summary>Opset 9 and IR 3 of 2018: initializers are inputs, Clip and Squeeze have attributes, shapes are constants.</summary>
    public static ModelProto OldLeNet(int seed)
    {
        var net = new NetBuilder(seed, channels: 1, side: 28) { Opset = 9 };
        var x = net.Pool("MaxPool", net.Unary("Clip", net.Conv(NetBuilder.Image, 6, 5), Nodes.Float("min", 0), Nodes.Float("max", 6)));
        x = net.Pool("MaxPool", net.Unary("Tanh", net.Conv(x, 16, 5, padding: 0)));
        x = net.Reshape(x, 1, 400);
        x = net.Relu(net.Linear(x, 60));
        var model = net.Build(net.Unary("Softmax", net.Linear(x, Zoo.Classes), Nodes.Int("axis", 1)));
        model.IrVersion = 3;
        foreach (var tensor in model.Graph.Initializer) model.Graph.Input.Add(Nodes.FloatValue(tensor.Name, [.. tensor.Dims]));
        return model;
    }
}
