using Dunlin.Contracts.Manifests;
using Microsoft.ML.OnnxRuntime;

namespace Dunlin.Runtime.Sessions;

/// <summary>
/// Pinned memory that one frame is written into and inference reads from. A session may have several, so that one is
/// filled while another is run; each must be filled before every run and not touched during it. Owned by the caller.
/// </summary>
public sealed class ModelInput : IDisposable
{
    private readonly float[] _floats;
    private readonly byte[] _bytes;
    private readonly OrtValue _value;

    internal ModelInput(ModelSession session, InputSpec spec, IReadOnlyList<long> shape, Action<OrtIoBinding> bindOutput)
    {
        var count = checked((int)shape.Aggregate(1L, (product, size) => product * size));
        _floats = spec.ElementType == ElementType.Float32 ? GC.AllocateArray<float>(count, pinned: true) : [];
        _bytes = spec.ElementType == ElementType.UInt8 ? GC.AllocateArray<byte>(count, pinned: true) : [];
        _value = spec.ElementType == ElementType.Float32
            ? OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _floats.AsMemory(), [.. shape])
            : OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, _bytes.AsMemory(), [.. shape]);
        Session = session;
        Binding = session.CreateBinding();
        Binding.BindInput(spec.Tensor, _value);
        bindOutput(Binding);
    }

    /// <summary>The tensor in the layout of the manifest; empty for a uint8 input.</summary>
    public Span<float> Floats => _floats;

    /// <summary>The tensor in the layout of the manifest; empty for a float32 input.</summary>
    public Span<byte> Bytes => _bytes;

    internal ModelSession Session { get; }
    internal OrtIoBinding Binding { get; }

    public void Dispose()
    {
        Binding.Dispose();
        _value.Dispose();
    }
}
