using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class MixedPrecisionTests
{
    private static readonly ModelProto Model = WithAnOutlier();
    private static readonly IReadOnlyList<float[]> Images = Pictures.Make(Model, 48, seed: 5);

    [Fact]
    public void TheLayerThatQuantizationHarmsMostIsFoundAndKeptFloat()
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(Model), Images, new QuantizationOptions { CorrectBias = false }, default);
        var graph = quantization.Plan.Graph;
        var sensitivities = LayerSensitivity.Measure(quantization, Images, default);
        Assert.Equal(quantization.Plan.Layers.Select(l => l.Name).Order(), sensitivities.Select(s => s.Layer).Order());

        var reference = Scores.Of(graph.Model, graph.Input, Images, default);
        var whole = Divergence(quantization.Quantize(new HashSet<string>(), default));
        var (model, kept) = MixedPrecision.Find(quantization, new(() => sensitivities), m => Divergence(m) < whole / 4, default);
        Assert.True(Divergence(model) < whole / 4, $"{Divergence(model)} of {whole} with {kept.Count} in float, {string.Join(' ', sensitivities.Select(s => $"{s.Layer}={s.Divergence:g2}"))}");
        Assert.InRange(kept.Count, 1, sensitivities.Count / 2);
        Assert.Equal(sensitivities.Take(kept.Count).Select(s => s.Layer), kept);

        double Divergence(QuantizedModel candidate) => reference.Divergence(Scores.Of(candidate.Model, graph.Input, Images, default));
    }

    [Fact]
    public void WhereTheWholeModelHoldsTheLimitNoSensitivityIsMeasured()
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(Model), Images, new QuantizationOptions(), default);
        var (_, kept) = MixedPrecision.Find(quantization, new(() => throw new InvalidOperationException("measured")), _ => true, default);
        Assert.Empty(kept);
    }

    [Theory]
    [InlineData("-1.0pt", 0.01, null)]
    [InlineData("top1>=-0.3pt", 0.003, null)]
    [InlineData("agreement>=99%", null, 0.99)]
    public void ALimitIsReadAsItIsTyped(string text, double? accuracy, double? agreement)
    {
        var limit = QuantizationLimit.Parse(text);
        Assert.Equal(accuracy ?? -1, limit.Accuracy ?? -1, 9);
        Assert.Equal(agreement ?? -1, limit.Agreement ?? -1, 9);
    }

    [Theory]
    [InlineData("1pt")]
    [InlineData("fast")]
    [InlineData("agreement>=101")]
    public void WhatIsNoLimitIsRefusedWithTheRule(string text) => Assert.Contains("-1.0pt", Assert.Throws<FormatException>(() => QuantizationLimit.Parse(text)).Message);

    // One huge weight takes the resolution of the channel's others, in the middle of the network.
    private static ModelProto WithAnOutlier()
    {
        var model = Zoo.Build("squeezenet");
        var tensor = model.Graph.Initializer.Single(i => i.Name == model.Graph.Node.Where(n => n.OpType == "Conv").ElementAt(4).Input[1]);
        var values = Tensors.Floats(tensor);
        var size = values.Length / (int)tensor.Dims[0];
        for (var c = 0; c < tensor.Dims[0]; c++) values[c * size] = 40;
        tensor.RawData = Tensors.Of("", values, [.. tensor.Dims]).RawData;
        return model;
    }
}
