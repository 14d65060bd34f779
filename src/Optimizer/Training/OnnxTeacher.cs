using Dunlin.Contracts.Artifacts;
using Dunlin.Optimizer.Graph;
using Dunlin.Runtime.Sessions;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Optimizer.Training;

/// <summary>Any ONNX classifier with the student's input, run image by image to learn from.</summary>
internal sealed class OnnxTeacher : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly long[] _inputShape;
    private readonly int _classCount;
    private readonly bool _givesProbabilities;

    /// <exception cref="InvalidDataException">The model has another input or another number of classes.</exception>
    public OnnxTeacher(string path, int width, int height, int classCount)
    {
        var content = File.ReadAllBytes(path);
        Name = Digest.Of(content).Hex[..12];
        _ = OnnxEnvironment.Instance;
        using var options = new SessionOptions { IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        _session = new InferenceSession(content, options);
        _givesProbabilities = ModelEnds.GivesProbabilities(ModelFile.Load(path));
        _classCount = classCount;
        var input = _session.InputMetadata.Single().Value.Dimensions;
        var output = _session.OutputMetadata.First().Value.Dimensions;
        _inputShape = [1, .. input.Skip(1).Select(d => (long)d)];
        if (_inputShape.Aggregate(1L, (a, b) => a * b) != height * width || output[^1] != classCount)
            throw new InvalidDataException($"Teacher '{path}' maps [{string.Join('×', input)}] to [{string.Join('×', output)}]; it must map {height}×{width} gray images to 1×{classCount}.");
    }

    /// <summary>The beginning of the file's digest.</summary>
    public string Name { get; }

    /// <summary>Logits of consecutive images.</summary>
    /// <param name="pixels">Preprocessed, width × height floats an image.</param>
    public float[] Logits(ReadOnlyMemory<float> pixels)
    {
        var size = (int)_inputShape.Aggregate(1L, (a, b) => a * b);
        var logits = new float[pixels.Length / size * _classCount];
        for (var i = 0; i < pixels.Length / size; i++)
        {
            using var image = OrtValue.CreateTensorValueFromMemory(pixels.Slice(i * size, size).ToArray(), _inputShape);
            using var results = _session.Run(_run, [_session.InputNames[0]], [image], [_session.OutputNames[0]]);
            results[0].GetTensorDataAsSpan<float>().CopyTo(logits.AsSpan(i * _classCount));
        }

        // The logarithm of probabilities is as good as what the softmax was taken of.
        if (_givesProbabilities)
            for (var i = 0; i < logits.Length; i++) logits[i] = MathF.Log(Math.Max(logits[i], 1e-12f));
        return logits;
    }

    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }
}
