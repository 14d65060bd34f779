using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;
using Dunlin.Optimizer.Quantization;
using Dunlin.Optimizer.Tests.Pruning;
using Dunlin.Optimizer.Tests.Quantization;
using Dunlin.Optimizer.Tests.Training;
using Dunlin.Optimizer.Training.Execution;
using Onnx;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>The same proofs for models of a folder (<c>DUNLIN_MODELS</c>), as <c>./build.sh exporter-test</c> fills one with what PyTorch exports; skipped without it.</summary>
public sealed class ExportedModelsTests
{
    private const int ImageCount = 8;
    private const double LargestError = 0.1;
    private static readonly long[] Image = [1, 3, 224, 224];

    public static TheoryData<string> Models => Environment.GetEnvironmentVariable("DUNLIN_MODELS") is { Length: > 0 } folder
        ? [.. Directory.EnumerateFiles(folder, "*.onnx").Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal)]
        : ["none"];

    [Theory]
    [MemberData(nameof(Models))]
    public void LoadingAndFoldingChangeNoScore(string name)
    {
        var original = Load(name);
        var graph = ModelGraph.Of(original, ShapeFor(original));
        AssertClose(original, graph);
        BatchNormFolding.Apply(graph);
        AssertClose(original, graph);
        OnnxChecker.Accepts(graph.Model);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void RemovingChannelsIsZeroingThem(string name)
    {
        var original = Load(name);
        var graph = ModelGraph.Of(original, ShapeFor(original));
        Assert.NotEqual(0, ZeroedChannels.Check(graph.Model, seed: 5));
        Pruner.Prune(graph, MagnitudeImportance.L2, new PruningOptions(0.3, PruningScope.Global, Step: 8));
        OnnxChecker.Accepts(graph.Model);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void TorchComputesTheSame(string name)
    {
        Torch.Require();
        var original = Load(name);
        var graph = ModelGraph.Of(original, ShapeFor(original));
        using var network = new GraphNetwork(graph);
        network.eval();
        using var run = new GraphRun(graph.Model);
        using var _ = no_grad();
        var image = GraphRun.Noise(graph.Model, 2);
        using var two = tensor([.. image, .. image], [2, .. graph.Input.Shape.Skip(1)]);
        using var scores = network.forward(two);
        var expected = run.Scores(image);
        AssertClose([.. expected, .. expected], scores.data<float>().ToArray());
    }

    [Theory]
    [MemberData(nameof(Models))]
    public void QuantizedItsScoresStayNear(string name)
    {
        var original = Load(name);
        var graph = ModelGraph.Of(original, ShapeFor(original));
        var images = Pictures.Make(graph.Model, 2 * ImageCount, seed: 3);
        var quantization = PostTraining.Calibrate(graph, images.Take(ImageCount), new QuantizationOptions(), TestContext.Current.CancellationToken);
        var result = quantization.Quantize(new HashSet<string>(), TestContext.Current.CancellationToken).Model;
        OnnxChecker.Accepts(result);
        Assert.DoesNotContain(FusionEvidence.Of(quantization.Plan, result).Unfused, layer => layer.Reason.Contains("did not fuse", StringComparison.Ordinal));
        using var first = new GraphRun(quantization.Plan.Graph.Model);
        using var second = new GraphRun(result);
        var (error, size) = (0.0, 0.0);
        foreach (var image in images.Skip(ImageCount))
            foreach (var (expected, actual) in first.Scores(image).Zip(second.Scores(image)))
            {
                error += Math.Pow(expected - actual, 2);
                size += Math.Pow(expected, 2);
            }

        TestContext.Current.TestOutputHelper!.WriteLine($"{name}: scores are off by {Math.Sqrt(error / size):p2}");
        Assert.InRange(Math.Sqrt(error / size), 0, LargestError);
    }

    private static ModelProto Load(string name)
    {
        var folder = Environment.GetEnvironmentVariable("DUNLIN_MODELS");
        Assert.SkipUnless(folder is { Length: > 0 }, "DUNLIN_MODELS names no folder of ONNX models");
        return ModelFile.Load(Path.Combine(folder!, name));
    }

    private static long[]? ShapeFor(ModelProto model) =>
        model.Graph.Input[0].Type.TensorType.Shape.Dim.Skip(1).All(d => d.HasDimValue) ? null : Image;

    // The original at its open shape, if it has one.
    private static void AssertClose(ModelProto original, ModelGraph graph)
    {
        var image = GraphRun.Noise(graph.Model, 1);
        using var first = new GraphRun(original);
        using var second = new GraphRun(graph.Model);
        AssertClose(first.Scores(image, [.. graph.Input.Shape]), second.Scores(image));
    }

    private static void AssertClose(float[] expected, float[] actual)
    {
        var largest = expected.Max(Math.Abs);
        Assert.True(largest > 0);
        Assert.All(actual.Zip(expected), p => Assert.True(Math.Abs(p.First - p.Second) <= 1e-3 * largest, $"{p.First} where {p.Second} is expected"));
    }
}
