using Onnx;

namespace Dunlin.Optimizer.Tests.Graph.Nets;

/// <summary>Small classifiers of the shapes that are met in practice, with random weights and ten classes.</summary>
internal static class Zoo
{
    public const int Classes = 10;

    private static readonly Dictionary<string, Func<int, ModelProto>> Builders = new()
    {
        ["resnet-basic"] = ResidualNets.Basic,
        ["resnet-bottleneck"] = ResidualNets.Bottleneck,
        ["resnext"] = ResidualNets.Grouped,
        ["mobilenet-v1"] = MobileNets.V1,
        ["mobilenet-v2"] = MobileNets.V2,
        ["mobilenet-v3"] = MobileNets.V3,
        ["efficientnet"] = MobileNets.EfficientNet,
        ["keras-mobilenet"] = MobileNets.Keras,
        ["densenet"] = ConcatenatingNets.DenseNet,
        ["squeezenet"] = ConcatenatingNets.SqueezeNet,
        ["inception"] = ConcatenatingNets.Inception,
        ["shufflenet"] = PlainNets.ShuffleNet,
        ["vgg"] = PlainNets.Vgg,
        ["lenet-old-opset"] = PlainNets.OldLeNet,
    };

    public static IEnumerable<string> Names => Builders.Keys;

    public static TheoryData<string> All => [.. Names];

    public static ModelProto Build(string name, int seed = 1) => Builders[name](seed);
}
