using Google.Protobuf;
using Dunlin.Runtime.Sessions;
using Microsoft.ML.OnnxRuntime;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Runs the float model by ONNX Runtime with its intermediate results as further outputs, and keeps the extremes of each.</summary>
internal static class MinMaxCalibration
{
    /// <param name="model">A float model with one input.</param>
    /// <param name="tensors">What to measure.</param>
    /// <param name="images">Preprocessed inputs, one at a time; the memory may be reused.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public static Dictionary<string, TensorRange> Measure(
        ModelProto model, IReadOnlyList<string> tensors, IEnumerable<float[]> images, CancellationToken cancellationToken)
    {
        var probe = model.Clone();
        var input = probe.Graph.Input.Single(i => probe.Graph.Initializer.All(t => t.Name != i.Name));
        var measured = tensors.Where(t => t != input.Name).ToList();
        foreach (var name in measured)
            if (probe.Graph.Output.All(o => o.Name != name)) probe.Graph.Output.Add(new ValueInfoProto { Name = name });

        var shape = input.Type.TensorType.Shape.Dim.Select(d => d.HasDimValue ? d.DimValue : 1).ToArray();
        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        using var session = new InferenceSession(probe.ToByteArray(), options);
        using var run = new RunOptions();
        var ranges = tensors.ToDictionary(t => t, _ => TensorRange.Empty);
        var count = 0;
        foreach (var image in images)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var value = OrtValue.CreateTensorValueFromMemory(image, shape);
            using var results = session.Run(run, [input.Name], [value], measured);
            for (var i = 0; i < measured.Count; i++)
                ranges[measured[i]] = ranges[measured[i]].With(results[i].GetTensorDataAsSpan<float>());
            if (ranges.TryGetValue(input.Name, out var range)) ranges[input.Name] = range.With(image);
            count++;
        }

        return count > 0 ? ranges : throw new InvalidDataException("There are no calibration images; give at least one.");
    }
}
