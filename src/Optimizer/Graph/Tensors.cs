using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>Initializers from and to arrays; always written as raw little-endian data.</summary>
internal static class Tensors
{
    public static TensorProto Of(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        Make(name, TensorProto.Types.DataType.Float, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<int> values, params ReadOnlySpan<long> shape) =>
        Make(name, TensorProto.Types.DataType.Int32, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<sbyte> values, params ReadOnlySpan<long> shape) =>
        Make(name, TensorProto.Types.DataType.Int8, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<long> shape) =>
        Make(name, TensorProto.Types.DataType.Uint8, values, shape);

    /// <exception cref="InvalidDataException">Not float32 held in the file itself.</exception>
    public static float[] Floats(TensorProto tensor)
    {
        if (tensor.DataType != (int)TensorProto.Types.DataType.Float)
            throw new InvalidDataException($"Initializer '{tensor.Name}' is of ONNX type {tensor.DataType}; float32 (1) is needed here.");
        if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
            throw new InvalidDataException($"Initializer '{tensor.Name}' lies outside of the model file; save the model with its weights inside.");
        var values = tensor.RawData.IsEmpty ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
        return values.Length == ElementCount(tensor)
            ? values
            : throw new InvalidDataException($"Initializer '{tensor.Name}' has {values.Length} values where its shape needs {ElementCount(tensor)}.");
    }

    public static long ElementCount(TensorProto tensor) => tensor.Dims.Aggregate(1L, (product, size) => checked(product * size));

    private static TensorProto Make(string name, TensorProto.Types.DataType type, ReadOnlySpan<byte> raw, ReadOnlySpan<long> shape)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(raw) };
        foreach (var size in shape) tensor.Dims.Add(size);
        return tensor;
    }
}
