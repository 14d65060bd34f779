using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;
using Dunlin.TestKit.Onnx;

namespace Dunlin.Bench.Material;

/// <summary>
/// A ResNet-18 for ImageNet (He et al., 2015, table 1) with batch normalization folded and random weights: 11.7 million
/// parameters, 47 MB.
/// </summary>
internal sealed class ResNet18
{
    private const int Side = 224;
    private const int Classes = 1000;
    private static readonly int[] StageChannels = [64, 128, 256, 512];

    private readonly Random _random = new(18);
    private readonly OnnxGraph _graph = new OnnxGraph().Input(OnnxModels.Input, OnnxType.Float, 1, 3, Side, Side).Output(OnnxModels.Output, OnnxType.Float, 1, Classes);
    private int _layer;

    /// <summary>Loads the model as it would come in a release.</summary>
    public static SessionSpec Spec(Workshop workshop) => new()
    {
        ModelPath = workshop.Once("resnet-18.onnx", path => File.WriteAllBytes(path, new ResNet18().Build())),
        Saved = false,
        Release = Digest.Of("bench"u8),
        Contender = new ContenderId("resnet-18", Providers.Cpu, 1),
        Input = MobileNet.Input with { Tensor = OnnxModels.Input },
        Output = new OutputSpec { Tensor = OnnxModels.Output, Activation = Activation.Softmax },
        Labels = [.. Enumerable.Range(0, Classes).Select(index => $"class {index}")],
    };

    private byte[] Build()
    {
        var current = Relu(Convolution(OnnxModels.Input, 3, 64, 7, 2));
        _graph.Node("MaxPool", [current], ["stem"], NodeSetting.Integers("kernel_shape", 3, 3), NodeSetting.Integers("strides", 2, 2), NodeSetting.Integers("pads", 1, 1, 1, 1));
        current = "stem";
        var channels = 64;
        foreach (var width in StageChannels)
        {
            current = Block(current, channels, width, width == 64 ? 1 : 2);
            current = Block(current, width, width, 1);
            channels = width;
        }

        _graph.Weights("dense", Gaussian(Classes * 512, 512), Classes, 512).Weights("dense-bias", new float[Classes], Classes);
        return _graph.Node("GlobalAveragePool", [current], ["pooled"]).Node("Flatten", ["pooled"], ["flat"])
            .Node("Gemm", ["flat", "dense", "dense-bias"], [OnnxModels.Output], NodeSetting.Integer("transB", 1)).ToModel();
    }

    private string Block(string input, int from, int to, int stride)
    {
        var inner = Convolution(Relu(Convolution(input, from, to, 3, stride)), to, to, 3, 1);
        var shortcut = stride == 1 && from == to ? input : Convolution(input, from, to, 1, stride);
        var sum = $"sum{_layer++}";
        _graph.Node("Add", [inner, shortcut], [sum]);
        return Relu(sum);
    }

    private string Convolution(string input, int from, int to, int kernel, int stride)
    {
        var name = $"conv{_layer++}";
        var pad = kernel / 2;
        _graph.Weights($"{name}-w", Gaussian(to * from * kernel * kernel, from * kernel * kernel), to, from, kernel, kernel).Weights($"{name}-b", new float[to], to)
            .Node("Conv", [input, $"{name}-w", $"{name}-b"], [name], NodeSetting.Integers("kernel_shape", kernel, kernel),
                NodeSetting.Integers("strides", stride, stride), NodeSetting.Integers("pads", pad, pad, pad, pad));
        return name;
    }

    private string Relu(string input)
    {
        var name = $"relu{_layer++}";
        _graph.Node("Relu", [input], [name]);
        return name;
    }

    /// <summary>Deviation √(2 / inputs), so that the activations keep their size (He et al., 2015).</summary>
    private float[] Gaussian(int count, int inputs)
    {
        var values = new float[count];
        var deviation = Math.Sqrt(2.0 / inputs);
        for (var i = 0; i < count; i++)
            values[i] = (float)(deviation * Math.Sqrt(-2 * Math.Log(1 - _random.NextDouble())) * Math.Cos(2 * Math.PI * _random.NextDouble()));
        return values;
    }
}
