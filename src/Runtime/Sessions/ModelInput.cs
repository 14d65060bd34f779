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

    /// <summary>Takes a tensor of floats, which a uint8 input rounds and saturates.</summary>
    /// <param name="tensor">In the layout of the manifest.</param>
    public void Fill(ReadOnlySpan<float> tensor)
    {
        if (_bytes.Length == 0) tensor.CopyTo(_floats);
        for (var i = 0; i < _bytes.Length; i++) _bytes[i] = (byte)(Math.Clamp(tensor[i], 0, 255) + 0.5f);
    }

    internal ModelSession Session { get; }
    internal OrtIoBinding Binding { get; }

    public void Dispose()
    {
        Binding.Dispose();
        _value.Dispose();
    }
}
