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

    public float[] Scores(float[] input)
    {
        var (name, meta) = _session.InputMetadata.Single();
        using var value = OrtValue.CreateTensorValueFromMemory(input, [.. meta.Dimensions.Select(d => (long)d)]);
        using var run = new RunOptions();
        using var results = _session.Run(run, [name], [value], _session.OutputNames);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public void Dispose() => _session.Dispose();
}
