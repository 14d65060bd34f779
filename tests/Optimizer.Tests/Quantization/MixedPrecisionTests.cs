using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class MixedPrecisionTests
{
    private const int Harmed = 4;
    private static readonly ModelProto Model = WithAnOutlier();
    private static readonly IReadOnlyList<float[]> Images = Pictures.Make(Model, 48, seed: 5);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void TheLayerThatQuantizationHarmsMostComesFirstAndNoMoreAreKeptFloatThanTheLimitAsksFor()
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(Model), Images, new QuantizationOptions { CorrectBias = false }, Stop);
        var sensitivities = LayerSensitivity.Measure(quantization, Images, Stop);
        Assert.Equal(quantization.Plan.Layers.Select(l => l.Name).Order(), sensitivities.Select(s => s.Layer).Order());
        Assert.Equal(Model.Graph.Node.Where(n => n.OpType == "Conv").ElementAt(Harmed).Name, sensitivities[0].Layer);

        var (model, kept) = MixedPrecision.Find(quantization, new(() => sensitivities), m => FloatLayers(m).Count >= 3, Stop);
        Assert.Equal(sensitivities.Take(3).Select(s => s.Layer), kept);
        Assert.Equal(kept.Order(), FloatLayers(model).Order());

        List<string> FloatLayers(QuantizedModel candidate)
        {
            var constants = candidate.Model.Graph.Initializer.Select(i => i.Name).ToHashSet();
            return [.. quantization.Plan.Layers.Where(l => !constants.Contains(QdqQuantizer.WeightsOf(l))).Select(l => l.Name)];
        }
    }

    [Fact]
    public void ALimitThatTheWholeModelMissesHoldsWithOneLayerInFloat()
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(Model), Images, new QuantizationOptions { CorrectBias = false }, Stop);
        var reference = Scores.Of(Model, quantization.Plan.Graph.Input, Images, Stop);
        double Loss(QuantizedModel candidate) => reference.Divergence(Scores.Of(candidate.Model, quantization.Plan.Graph.Input, Images, Stop));
        var whole = Loss(quantization.Quantize(new HashSet<string>(), Stop));
        var (model, kept) = MixedPrecision.Find(quantization, new(() => LayerSensitivity.Measure(quantization, Images, Stop)), m => Loss(m) < whole / 10, Stop);
        Assert.Single(kept);
        Assert.InRange(Loss(model), 0, whole / 10);
    }

    [Fact]
    public void WhereNothingHoldsWithALayerOnBytesAllAreOnBytes()
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(Model), Images, new QuantizationOptions { CorrectBias = false }, Stop);
        var tried = new List<QuantizedModel>();
        var sensitivities = quantization.Plan.Layers.Select(l => new LayerSensitivity(l.Name, 1)).ToList();
        var (model, kept) = MixedPrecision.Find(quantization, new(() => sensitivities), candidate =>
        {
            tried.Add(candidate);
            return false;
        }, Stop);
        Assert.Empty(kept);
        Assert.Same(tried[0], model);
        Assert.All(tried, t => Assert.Contains(t.Model.Graph.Node, n => n.OpType == "QuantizeLinear"));
    }

    [Fact]
    public void WhereTheWholeModelHoldsTheLimitNoSensitivityIsMeasured()
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(Model), Images, new QuantizationOptions(), Stop);
        var (_, kept) = MixedPrecision.Find(quantization, new(() => throw new InvalidOperationException("measured")), _ => true, Stop);
        Assert.Empty(kept);
    }

    // Huge weights take the resolution of all others in one layer; that they meet a channel which is always zero spares the activations.
    private static ModelProto WithAnOutlier()
    {
        var model = Zoo.Build("squeezenet");
        var layers = model.Graph.Node.Where(n => n.OpType == "Conv").ToList();
        Change(model, layers[2].Input[1], (values, size) => values.AsSpan(0, size).Clear());
        Change(model, layers[2].Input[2], (values, _) => values[0] = -1);
        Change(model, layers[Harmed].Input[1], (values, size) =>
        {
            for (var i = 0; i < values.Length; i += size) values[i] = 40;
        });
        return model;
    }

    private static void Change(ModelProto model, string name, Action<float[], int> change)
    {
        var tensor = model.Graph.Initializer.Single(i => i.Name == name);
        var values = Tensors.Floats(tensor);
        change(values, values.Length / (int)tensor.Dims[0]);
        tensor.RawData = Tensors.Of("", values, [.. tensor.Dims]).RawData;
    }
}
