using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

/// <summary>
/// One model ready to run with its contender's provider and threads. Runs on one thread at a time;
/// inputs may be filled by others meanwhile. Making one parses untrusted ONNX: only in a child process.
/// </summary>
public sealed class ModelSession : IDisposable
{
    private readonly InferenceSession _session;
    private readonly SessionSpec _spec;
    private readonly RunOptions _run = new();
    private readonly long[] _inputShape;
    private readonly float[] _output;
    private readonly OrtValue _outputValue;

    private ModelSession(InferenceSession session, SessionSpec spec)
    {
        _session = session;
        _spec = spec;
        _inputShape = TensorCheck.Input(spec, session.InputMetadata);
        var outputShape = TensorCheck.Output(spec, session.OutputMetadata);
        _output = GC.AllocateArray<float>(spec.ClassCount, pinned: true);
        _outputValue = OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _output.AsMemory(), outputShape);
    }

    public ContenderId Contender => _spec.Contender;

    /// <summary>As the supervisor numbered it.</summary>
    public int Number => _spec.Number;

    /// <summary>Probabilities that a run returns.</summary>
    public int ClassCount => _output.Length;

    /// <exception cref="ModelLoadException">Not a model that loads, or not the one that the manifest describes.</exception>
    public static ModelSession Create(SessionSpec spec)
    {
        using var options = SessionSettings.Create(spec.Contender.Threads, spec.Contender.ExecutionProvider, spec.Saved);
        var session = SessionLoader.Open(spec, options);
        try
        {
            return new ModelSession(session, spec);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Memory for one frame, to be disposed by the caller before the session.</summary>
    public ModelInput CreateInput() =>
        new(this, _spec.Input, _inputShape, binding => binding.BindOutput(_spec.Output.Tensor, _outputValue));

    /// <summary>
    /// Classifies what <paramref name="input"/> holds. The probabilities by class index are valid until the next run of this
    /// session; they are not finite where the model's scores are not. Allocates nothing.
    /// </summary>
    /// <exception cref="OnnxRuntimeException">A kernel failed.</exception>
    public ReadOnlySpan<float> Run(ModelInput input)
    {
        if (input.Session != this) throw new ArgumentException("The input belongs to another session.", nameof(input));
        _session.RunWithBinding(_run, input.Binding);
        Activations.Apply(_spec.Output.Activation, _output);
        return _output;
    }

    public void Dispose()
    {
        _outputValue.Dispose();
        _run.Dispose();
        _session.Dispose();
    }

    internal OrtIoBinding CreateBinding() => _session.CreateIoBinding();
}
