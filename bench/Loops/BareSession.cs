using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Bench.Loops;

/// <summary>ONNX Runtime with nothing around it: one session, one bound input and output. None of Dunlin's own code.</summary>
internal sealed class BareSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtIoBinding _binding;
    private readonly OrtValue _input;
    private readonly OrtValue _output;
    private readonly float[] _pixels;

    public BareSession(string model, bool saved)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = 1,
            InterOpNumThreads = 1,
            GraphOptimizationLevel = saved ? GraphOptimizationLevel.ORT_DISABLE_ALL : GraphOptimizationLevel.ORT_ENABLE_ALL,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        _session = new InferenceSession(model, options);
        var (inputName, input) = _session.InputMetadata.Single();
        var (outputName, output) = _session.OutputMetadata.Single();
        _pixels = GC.AllocateArray<float>(input.Dimensions.Aggregate(1, (product, size) => product * size), pinned: true);
        var random = new Random(1);
        for (var i = 0; i < _pixels.Length; i++) _pixels[i] = random.NextSingle() * 2 - 1;
        var scores = GC.AllocateArray<float>(output.Dimensions.Aggregate(1, (product, size) => product * size), pinned: true);
        _input = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _pixels.AsMemory(), [.. input.Dimensions.Select(size => (long)size)]);
        _output = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, scores.AsMemory(), [.. output.Dimensions.Select(size => (long)size)]);
        _binding = _session.CreateIoBinding();
        _binding.BindInput(inputName, _input);
        _binding.BindOutput(outputName, _output);
    }

    public Span<float> Pixels => _pixels;

    public void Run() => _session.RunWithBinding(_run, _binding);

    public void Dispose()
    {
        _binding.Dispose();
        _input.Dispose();
        _output.Dispose();
        _run.Dispose();
        _session.Dispose();
    }
}
