using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

/// <summary>A network may answer an odd image hundreds of times louder than all others, or hardly at all; its grids must stay those of the others.</summary>
public sealed class OddImageTests
{
    private const int Images = 64;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("resnet-bottleneck", 300)]
    [InlineData("vgg", 300)]
    [InlineData("densenet", 300)]
    [InlineData("resnet-bottleneck", 0)]
    [InlineData("without biases", 300)]
    public void OneOddImageCostsTheOthersLittle(string name, float loudness)
    {
        var model = name == "without biases" ? WithoutBiases() : Zoo.Build(name);
        var (without, with) = (Error(model, loudness: 1), Error(model, loudness));
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: {without:g3}, with an image {loudness} times as loud {with:g3}");
        Assert.True(with < 2 * without, $"{with} where it is {without} without");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1e-9)]
    [InlineData(1e-4)]
    public void AQuietImageChangesNoGrid(float loudness)
    {
        var model = WithoutBiases();
        var images = Pictures.Make(model, Images, seed: 5).Select(i => (float[])i.Clone()).ToList();
        var without = Ranges(model, images);
        images.Add([.. images[0].Select(v => v * loudness)]);
        foreach (var (tensor, range) in Ranges(model, images))
            Assert.Equal((Math.Round(without[tensor].Low, 3), Math.Round(without[tensor].High, 3)), (Math.Round(range.Low, 3), Math.Round(range.High, 3)));
    }

    private static Dictionary<string, TensorRange> Ranges(ModelProto model, IReadOnlyList<float[]> images)
    {
        var graph = ModelGraph.Of(model);
        return Calibration.Measure(graph, [.. graph.Nodes.Select(n => n.Output[0])], images, CalibrationMethod.Mse, percentile: 100, Stop);
    }

    // Its activations are as quiet as the image, and lie on both sides of zero.
    private static ModelProto WithoutBiases()
    {
        var net = new NetBuilder(seed: 4);
        var x = net.Unary("LeakyRelu", net.Conv(NetBuilder.Image, 16, stride: 2, bias: false));
        x = net.Unary("LeakyRelu", net.Conv(x, 32, stride: 2, bias: false));
        return net.Build(net.Linear(net.Flatten(net.GlobalPool(x)), Zoo.Classes));
    }

    // Root mean square error of the scores on other images.
    private static double Error(ModelProto model, float loudness)
    {
        var graph = ModelGraph.Of(model);
        var images = Pictures.Make(model, Images, seed: 5).Select(i => (float[])i.Clone()).ToList();
        images[^1] = [.. images[^1].Select(v => v * loudness)];
        var quantization = PostTraining.Calibrate(graph, images, new QuantizationOptions(), Stop);
        using var expected = new ModelRun(graph.Model, graph.Input);
        using var actual = new ModelRun(quantization.Quantize(new HashSet<string>(), Stop).Model, graph.Input);
        return Math.Sqrt(Pictures.Make(model, Images, seed: 6).SelectMany(i => actual.Scores(i).Zip(expected.Scores(i), (a, b) => (double)(a - b) * (a - b))).Average());
    }
}
