using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class QdqQuantizerTests
{
    private static readonly ResidualSpec Spec = new([16, 32, 64], [1, 1, 1], StemStride: 2, ClassCount: 10);
    private static readonly ModelProto Model = FoldedResidual.Make(Spec);
    private static readonly HashSet<string> None = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void EveryConvolutionAddAndGemmFusesIntoAnIntegerKernel()
    {
        var quantization = Calibrated(new QuantizationOptions());
        var kernels = FusionEvidence.Of(quantization.Plan, Quantized(quantization)).Kernels;
        Assert.Equal(Model.Graph.Node.Count(n => n.OpType == "Conv"), kernels.GetValueOrDefault("QLinearConv"));
        Assert.Equal(Model.Graph.Node.Count(n => n.OpType == "Add"), kernels.GetValueOrDefault("QLinearAdd"));
        Assert.Equal(1, kernels.GetValueOrDefault("QGemm"));
        Assert.Equal(1, kernels.GetValueOrDefault("QLinearGlobalAveragePool"));
        Assert.DoesNotContain("Conv", kernels.Keys);
        Assert.DoesNotContain("Relu", kernels.Keys);
        Assert.DoesNotContain("DequantizeLinear", kernels.Keys);
        Assert.Equal(1, kernels.GetValueOrDefault("QuantizeLinear"));
    }

    [Fact]
    public void TheQuantizedModelComputesNearlyTheSame()
    {
        using var reference = new GraphRun(Model);
        using var quantized = new GraphRun(Quantized());
        var (error, size) = (0.0, 0.0);
        foreach (var image in Images(50, seed: 99))
        {
            foreach (var (a, b) in reference.Scores(image).Zip(quantized.Scores(image)))
            {
                error += (a - b) * (a - b);
                size += a * a;
            }
        }

        Assert.InRange(Math.Sqrt(error / size), 0, 0.05);
    }

    [Fact]
    public void ParametersAndOperationsAreThoseOfTheFloatModel()
    {
        var (before, after) = (GraphFacts.Of(Model), GraphFacts.Of(Quantized()));
        Assert.Equal((before.ParameterCount, before.Macs), (after.ParameterCount, after.Macs));
    }

    [Fact]
    public void AModelIsNotQuantizedTwice() => Assert.Contains(
        "quantized already",
        Assert.Throws<InvalidDataException>(() => PostTraining.Calibrate(ModelGraph.Of(Quantized()), Images(1, 1), new QuantizationOptions(), Stop)).Message);

    [Fact]
    public void CalibrationNeedsAnImage() =>
        Assert.Throws<InvalidDataException>(() => PostTraining.Calibrate(ModelGraph.Of(Model), [], new QuantizationOptions(), Stop));

    [Fact]
    public void WithoutVnniWeightsHaveSevenBitsSoThatTwoProductsFitIntoSixteen()
    {
        var model = Quantized(Calibrated(new QuantizationOptions { Target = QuantizationTarget.X64Avx2 }));
        var weights = model.Graph.Initializer.Where(i => i.Name.EndsWith(".weight.q", StringComparison.Ordinal)).SelectMany(i => i.RawData.Span.ToArray()).Select(b => (int)(sbyte)b).ToList();
        Assert.Equal((-64, 64), (weights.Min(), weights.Max()));
        Assert.True(2 * byte.MaxValue * weights.Max() <= short.MaxValue);
    }

    [Fact]
    public void ForArmActivationsAreSignedAndTheAnswersTheSame()
    {
        var model = Quantized(Calibrated(new QuantizationOptions { Target = QuantizationTarget.Arm64, CorrectBias = false }));
        Assert.DoesNotContain(model.Graph.Initializer, i => i.DataType == (int)TensorProto.Types.DataType.Uint8);
        OnnxChecker.Accepts(model);
        GraphRun.AssertSame(Quantized(Calibrated(new QuantizationOptions { CorrectBias = false })), model, 1e-2);
    }

    [Fact]
    public void ALayerThatIsKeptFloatIsNamedAndTheOthersFuse()
    {
        var quantization = Calibrated(new QuantizationOptions());
        var kept = quantization.Plan.Layers[3].Name;
        var evidence = FusionEvidence.Of(quantization.Plan, quantization.Quantize(new HashSet<string> { kept }, Stop).Model, new HashSet<string> { kept });
        var layer = Assert.Single(evidence.Unfused);
        Assert.Equal((kept, "kept in float for its sensitivity"), (layer.Name, layer.Reason));
    }

    private static PostTraining Calibrated(QuantizationOptions options) => PostTraining.Calibrate(ModelGraph.Of(Model), Images(50, seed: 1), options, Stop);

    private static ModelProto Quantized(PostTraining? quantization = null) => (quantization ?? Calibrated(new QuantizationOptions())).Quantize(None, Stop).Model;

    private static IEnumerable<float[]> Images(int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var level = random.NextSingle();
            yield return [.. Enumerable.Range(0, 784).Select(_ => random.NextSingle() * 2 - level)];
        }
    }
}
