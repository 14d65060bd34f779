using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training.Execution;
using Onnx;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Tests.Training;

/// <summary>Holds what torch computes against ONNX Runtime.</summary>
internal static class TorchComparison
{
    private const double Tolerance = 1e-3;

    /// <summary>Fails unless both say the same of three images, which torch sees at once.</summary>
    public static void AssertSame(ModelProto model)
    {
        var graph = ModelGraph.Of(model);
        using var network = new GraphNetwork(graph);
        network.eval();
        using var run = new GraphRun(model);
        using var images = Images(model, graph, batch: 3);
        using var scores = network.forward(images);
        var actual = scores.data<float>().ToArray();
        float[] expected = [.. images.data<float>().ToArray().Chunk((int)images.numel() / 3).SelectMany(run.Scores)];
        AssertClose(actual, expected);
    }

    public static void AssertClose(float[] actual, float[] expected)
    {
        Assert.Equal(expected.Length, actual.Length);
        var largest = expected.Max(Math.Abs);
        Assert.True(largest > 1e-3);
        Assert.All(actual.Zip(expected), p => Assert.True(Math.Abs(p.First - p.Second) <= Tolerance * largest, $"{p.First} where {p.Second} is expected"));
    }

    public static Tensor Images(ModelProto model, ModelGraph graph, int batch) => tensor(GraphRun.Noise(model, 7, batch), [batch, .. graph.Input.Shape.Skip(1)]);
}
