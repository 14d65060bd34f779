using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class QdqQuantizerTests
{
    private static readonly ResidualSpec Spec = new([16, 32, 64], BlockCount: 1, StemStride: 2, ClassCount: 10);
    private static readonly ModelProto Model = FoldedResidual.Make(Spec);

    [Fact]
    public void EveryConvolutionAddAndGemmFusesIntoAnIntegerKernel()
    {
        var path = Path.GetTempFileName();
        using (new GraphRun(Quantized(), path)) { }
        var kernels = ModelFile.Load(path).Graph.Node.CountBy(n => n.OpType).ToDictionary();
        File.Delete(path);

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
    public void OnnxItselfAcceptsTheQuantizedGraph() => OnnxChecker.Accepts(Quantized());

    [Fact]
    public void ParametersAndOperationsAreThoseOfTheFloatModel()
    {
        var (before, after) = (GraphFacts.Of(Model), GraphFacts.Of(Quantized()));
        Assert.Equal((before.ParameterCount, before.Macs), (after.ParameterCount, after.Macs));
    }

    [Fact]
    public void AModelIsNotQuantizedTwice() =>
        Assert.Contains("quantized already", Assert.Throws<InvalidDataException>(() => QuantizedTensors.Of(Quantized().Graph)).Message);

    [Fact]
    public void AnOperatorThatIsNotKnownIsNamed()
    {
        var model = Model.Clone();
        model.Graph.Node.Single(n => n.OpType == "Flatten").OpType = "Einsum";
        Assert.Contains("Einsum", Assert.Throws<InvalidDataException>(() => QuantizedTensors.Of(model.Graph)).Message);
    }

    [Fact]
    public void AClipFusesAsAReluDoesAndASoftmaxStaysFloat()
    {
        var model = Model.Clone();
        foreach (var node in model.Graph.Node.Where(n => n.OpType == "Relu")) node.OpType = "Clip";
        model.Graph.Node.Add(Nodes.Make("Softmax", [model.Graph.Output[0].Name], "probabilities"));
        Assert.Equal(QuantizedTensors.Of(Model.Graph), QuantizedTensors.Of(model.Graph));
    }

    [Fact]
    public void CalibrationNeedsAnImage() =>
        Assert.Throws<InvalidDataException>(() => MinMaxCalibration.Measure(Model, QuantizedTensors.Of(Model.Graph), [], TestContext.Current.CancellationToken));

    private static ModelProto Quantized() => QdqQuantizer.Quantize(
        Model, MinMaxCalibration.Measure(Model, QuantizedTensors.Of(Model.Graph), Images(50, seed: 1), TestContext.Current.CancellationToken));

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
