using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class BiasCorrectionTests
{
    [Theory]
    [InlineData("mobilenet-v2")]
    [InlineData("resnet-basic")]
    [InlineData("densenet")]
    public void TheMeanErrorOfTheScoresFalls(string name) => AssertFalls(Zoo.Build(name));

    [Fact]
    public void ItFallsWhereALinearLayerReadsARowForEachPlace()
    {
        var net = new NetBuilder(seed: 4, side: 8);
        var x = net.Transpose(net.Relu(net.Conv(NetBuilder.Image, 12)), 0, 2, 3, 1);
        x = net.Reshape(net.Linear(net.Reshape(x, 64, 12), Zoo.Classes), 1, 64, Zoo.Classes);
        AssertFalls(net.Build(net.Add("ReduceMean", [x], [1, Zoo.Classes], Nodes.Ints("axes", 1), Nodes.Int("keepdims", 0))));
    }

    private static void AssertFalls(ModelProto model)
    {
        var (plain, corrected) = (MeanError(model, correct: false), MeanError(model, correct: true));
        Assert.True(corrected < plain / 2, $"{corrected} where it was {plain}");
    }

    [Fact]
    public void EachClassHasItsShareWhereClassStandsBehindClass()
    {
        var net = new NetBuilder(seed: 4);
        var model = net.Build(net.Linear(net.Flatten(net.GlobalPool(net.ConvNormRelu(NetBuilder.Image, 16, 3, 2))), Zoo.Classes));
        var classes = Pictures.Make(model, 2, seed: 5).Select(image => Enumerable.Repeat(image, 256)).ToList();
        var (first, second) = (BiasError([.. classes[0], .. classes[1]]), BiasError([.. classes[1], .. classes[0]]));
        Assert.Equal(1, first / second, 1e-3);

        double BiasError(IReadOnlyList<float[]> images)
        {
            var options = new QuantizationOptions { Calibration = CalibrationMethod.MinMax, Target = QuantizationTarget.X64Avx2 };
            var quantization = PostTraining.Calibrate(ModelGraph.Of(model.Clone()), images, options, TestContext.Current.CancellationToken);
            return quantization.Quantize(new HashSet<string>(), TestContext.Current.CancellationToken).BiasError!.Value;
        }
    }

    // On other images of the same kind; seven bits, so that there is something to correct.
    private static double MeanError(ModelProto model, bool correct)
    {
        var graph = ModelGraph.Of(model);
        var options = new QuantizationOptions { CorrectBias = correct, Target = QuantizationTarget.X64Avx2 };
        var quantization = PostTraining.Calibrate(graph, Pictures.Make(model, 64, seed: 5), options, TestContext.Current.CancellationToken);
        var result = quantization.Quantize(new HashSet<string>(), TestContext.Current.CancellationToken);
        Assert.Equal(correct, result.BiasError is > 0);
        using var expected = new ModelRun(graph.Model, graph.Input);
        using var actual = new ModelRun(result.Model, graph.Input);
        var means = new double[Zoo.Classes];
        foreach (var image in Pictures.Make(model, 64, seed: 6))
            foreach (var (c, error) in actual.Scores(image).Zip(expected.Scores(image), (a, b) => a - b).Index()) means[c] += error / 64;
        return Math.Sqrt(means.Average(m => m * m));
    }
}
