using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

/// <summary>A network may answer an odd image hundreds of times louder than all others; its grids must stay those of the others.</summary>
public sealed class LoudImageTests
{
    private const int Images = 64;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("resnet-bottleneck")]
    [InlineData("vgg")]
    [InlineData("densenet")]
    public void OneLoudImageCostsTheOthersLittle(string name)
    {
        var model = Zoo.Build(name);
        var (quiet, loud) = (Error(model, loudness: 1), Error(model, loudness: 300));
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: {quiet:g3}, with a loud image {loud:g3}");
        Assert.True(loud < 2 * quiet, $"{loud} where it is {quiet} without");
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
