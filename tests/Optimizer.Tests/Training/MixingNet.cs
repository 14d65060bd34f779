using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Training;

/// <summary>A network that computes for one image, and would mix several: its last layer turns the batch round, as long as that is of one. Torch finds out while it computes.</summary>
internal static class MixingNet
{
    public static ModelProto Build(int classes, int channels = 3, int side = 8)
    {
        var net = new NetBuilder(seed: 6, channels, side);
        var x = net.Flatten(net.GlobalPool(net.Conv(net.Relu(net.Conv(NetBuilder.Image, 4)), 1)));
        return net.Build(net.Add("Gemm", [x, net.Weights("w", 1, 1, classes)], [1, classes], Nodes.Int("transA", 1)));
    }
}
