using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Quantization;

/// <summary>Every shape of network that is met in practice, from the float model to ONNX Runtime's integer kernels.</summary>
public sealed class QuantizedZooTests
{
    private const double LargestError = 0.02;
    private static readonly HashSet<string> None = [];

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void EveryConvolutionFusesAndTheScoresStay(string name)
    {
        var model = Zoo.Build(name);
        var (quantization, result) = Quantize(model);
        var evidence = FusionEvidence.Of(quantization.Plan, result.Model);
        Assert.Empty(evidence.Unfused);
        Assert.DoesNotContain("Conv", evidence.Kernels.Keys);
        Assert.DoesNotContain("Relu", evidence.Kernels.Keys);
        Assert.DoesNotContain("Clip", evidence.Kernels.Keys);
        Assert.True(evidence.Kernels["QLinearConv"] >= model.Graph.Node.Count(n => n.OpType == "Conv"));

        var images = Pictures.Make(model, 100, seed: 77);
        var (expected, actual) = (ScoresOf(quantization.Plan.Graph.Model, quantization, images), ScoresOf(result.Model, quantization, images));
        // Not by how many answers are the same: a network of random weights may tell images apart by less than the hundredth part of its scores.
        var error = Length(expected.Zip(actual, (a, b) => a - b)) / Length(expected);
        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: scores are off by {error:p2}");
        Assert.InRange(error, 0, LargestError);
    }

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void WhatIsKeptInFloatIsComputedInFloatAndAllElseOnBytes(string name)
    {
        var model = Zoo.Build(name);
        var quantization = PostTraining.Calibrate(
            ModelGraph.Of(model), Pictures.Make(model, 8, seed: 5), new QuantizationOptions { CorrectBias = false }, TestContext.Current.CancellationToken);
        var layers = quantization.Plan.Layers.Select(l => l.Name).ToList();
        foreach (var kept in new[] { 0, 1 }.Select(odd => layers.Where((_, i) => i % 2 == odd).ToHashSet()))
        {
            var result = quantization.Quantize(kept, TestContext.Current.CancellationToken).Model;
            var kernels = FusionEvidence.Of(quantization.Plan, result, kept).Kernels;
            var (integer, inFloat) = (Count("QLinearConv", "QGemm", "QLinearMatMul", "MatMulIntegerToFloat"), Count("Conv", "FusedConv", "Gemm", "FusedGemm", "MatMul"));
            Assert.Equal((layers.Count - kept.Count, kept.Count), (integer, inFloat));

            int Count(params string[] operators) => operators.Sum(o => kernels.GetValueOrDefault(o));
        }
    }

    [Fact]
    public void OnnxItselfAcceptsThemAll() => OnnxChecker.Accepts([.. Zoo.Names.Select(n => Quantize(Zoo.Build(n)).Result.Model)]);

    [Theory]
    [MemberData(nameof(Zoo.All), MemberType = typeof(Zoo))]
    public void TheFormThatIsQuantizedComputesTheSame(string name)
    {
        var model = Zoo.Build(name);
        var graph = ModelGraph.Of(model);
        OpsetRaising.Apply(graph);
        BatchNormFolding.Apply(graph);
        IntegerForms.Apply(graph);
        GraphRun.AssertSame(model, graph.Model, 1e-3);
        Assert.True(graph.Opset >= OpsetRaising.PerChannel);
    }

    private static (PostTraining Quantization, QuantizedModel Result) Quantize(ModelProto model)
    {
        var quantization = PostTraining.Calibrate(ModelGraph.Of(model), Pictures.Make(model, 32, seed: 5), new QuantizationOptions(), TestContext.Current.CancellationToken);
        return (quantization, quantization.Quantize(None, TestContext.Current.CancellationToken));
    }

    private static float[] ScoresOf(ModelProto model, PostTraining quantization, IReadOnlyList<float[]> images)
    {
        using var run = new ModelRun(model, quantization.Plan.Graph.Input);
        return [.. images.SelectMany(run.Scores)];
    }

    private static double Length(IEnumerable<float> values) => Math.Sqrt(values.Sum(v => (double)v * v));
}
