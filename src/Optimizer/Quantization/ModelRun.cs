using Dunlin.Runtime.Sessions;
using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using Onnx;
using ModelInput = Dunlin.Optimizer.Graph.ModelInput;

namespace Dunlin.Optimizer.Quantization;

/// <summary>A model in ONNX Runtime, one image at a time; for one thread of callers.</summary>
internal sealed class ModelRun : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly string _input;
    private readonly long[] _shape;
    private readonly IReadOnlyList<string> _outputs;

    /// <param name="model">Is not changed.</param>
    /// <param name="input">Its image.</param>
    /// <param name="outputs">Values to compute instead of the scores.</param>
    public ModelRun(ModelProto model, ModelInput input, IReadOnlyList<string>? outputs = null)
    {
        (_input, _shape, _outputs) = (input.Name, [.. input.Shape], outputs ?? [model.Graph.Output[0].Name]);
        if (outputs is not null)
        {
            model = model.Clone();
            var known = model.Graph.Output.Select(o => o.Name).ToHashSet();
            model.Graph.Output.AddRange(outputs.Where(known.Add).Select(o => new ValueInfoProto { Name = o }));
        }

        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new InferenceSession(model.ToByteArray(), options);
    }

    /// <summary>The values in their order; the caller disposes them.</summary>
    /// <param name="image">Of the model's element type.</param>
    public IDisposableReadOnlyCollection<OrtValue> Run<T>(T[] image)
        where T : unmanaged
    {
        using var value = OrtValue.CreateTensorValueFromMemory(image, _shape);
        return _session.Run(_run, [_input], [value], _outputs);
    }

    /// <summary>The first value, copied.</summary>
    public float[] Scores(float[] image)
    {
        using var results = Run(image);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }
}
