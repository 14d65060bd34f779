using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>One model on one input by ONNX Runtime.</summary>
internal sealed class GraphRun : IDisposable
{
    private readonly InferenceSession _session;

    public GraphRun(ModelProto model, string? optimizedPath = null)
    {
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        if (optimizedPath is not null) options.OptimizedModelFilePath = optimizedPath;
        _session = new InferenceSession(model.ToByteArray(), options);
    }

    /// <param name="input">One image, or several where the model leaves the batch open.</param>
    public float[] Scores(float[] input) => Scores(input, [.. _session.InputMetadata.Single().Value.Dimensions.Select(d => (long)d)]);

    /// <param name="input">One image, or several where the model leaves the batch open.</param>
    /// <param name="shape">Its shape; an open batch is reckoned from the input's length.</param>
    public float[] Scores(float[] input, long[] shape)
    {
        if (shape[0] < 0) shape[0] = input.Length / shape[1..].Aggregate(1L, (a, b) => a * b);
        using var value = OrtValue.CreateTensorValueFromMemory(input, shape);
        using var run = new RunOptions();
        using var results = _session.Run(run, _session.InputNames, [value], _session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    /// <summary>Numbers as those of normalized images, the same for a seed.</summary>
    public static float[] Noise(ModelProto model, int seed, int batch = 1)
    {
        var random = new Random(seed);
        var size = model.Graph.Input[0].Type.TensorType.Shape.Dim.Skip(1).Aggregate(1L, (a, d) => a * d.DimValue);
        return [.. Enumerable.Range(0, (int)size * batch).Select(_ => random.NextSingle() * 2 - 1)];
    }

    /// <summary>Fails unless both compute the same to this share of the largest score.</summary>
    public static void AssertSame(ModelProto expected, ModelProto actual, double tolerance = 1e-4, int batch = 1)
    {
        using var first = new GraphRun(expected);
        using var second = new GraphRun(actual);
        for (var seed = 0; seed < 2; seed++)
        {
            var image = Noise(expected, seed, batch);
            var (ours, theirs) = (second.Scores(image), first.Scores(image));
            Assert.Equal(theirs.Length, ours.Length);
            var largest = theirs.Max(Math.Abs);
            Assert.True(largest > 1e-3, "the scores are all nearly zero, so that they prove nothing");
            foreach (var (a, b) in ours.Zip(theirs)) Assert.True(Math.Abs(a - b) <= tolerance * largest, $"{a} where {b} is expected");
        }
    }

    public void Dispose() => _session.Dispose();
}
