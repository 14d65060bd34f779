using System.Runtime.InteropServices;
using Google.Protobuf;
using Onnx;
using DataType = Onnx.TensorProto.Types.DataType;

namespace Dunlin.Optimizer.Graph;

/// <summary>Initializers from and to arrays; always written as raw little-endian data.</summary>
internal static class Tensors
{
    public static TensorProto Of(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> shape) =>
        Of(name, DataType.Float, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> shape) =>
        Of(name, DataType.Int64, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<int> values, params ReadOnlySpan<long> shape) =>
        Of(name, DataType.Int32, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<sbyte> values, params ReadOnlySpan<long> shape) =>
        Of(name, DataType.Int8, MemoryMarshal.AsBytes(values), shape);

    public static TensorProto Of(string name, ReadOnlySpan<byte> values, params ReadOnlySpan<long> shape) =>
        Of(name, DataType.Uint8, values, shape);

    /// <summary>Of any type, from its elements in little-endian order.</summary>
    public static TensorProto Of(string name, DataType type, ReadOnlySpan<byte> raw, params ReadOnlySpan<long> shape)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(raw) };
        foreach (var size in shape) tensor.Dims.Add(size);
        return tensor;
    }

    /// <exception cref="InvalidDataException">Not float32 held in the file itself.</exception>
    public static float[] Floats(TensorProto tensor)
    {
        if (tensor.DataType != (int)DataType.Float)
            throw new InvalidDataException($"Initializer '{tensor.Name}' is of ONNX type {(DataType)tensor.DataType}; float32 is needed here.");
        if (tensor.DataLocation == TensorProto.Types.DataLocation.External)
            throw new InvalidDataException($"Initializer '{tensor.Name}' lies outside of the model file; save the model with its weights inside.");
        var values = tensor.RawData.IsEmpty ? [.. tensor.FloatData] : MemoryMarshal.Cast<byte, float>(tensor.RawData.Span).ToArray();
        return values.Length == ElementCount(tensor)
            ? values
            : throw new InvalidDataException($"Initializer '{tensor.Name}' has {values.Length} values where its shape needs {ElementCount(tensor)}.");
    }

    /// <summary>Values of an int64 or int32 tensor that says shapes, axes or counts.</summary>
    public static long[] Integers(TensorProto tensor) => tensor.DataType switch
    {
        (int)DataType.Int64 => tensor.RawData.IsEmpty ? [.. tensor.Int64Data] : MemoryMarshal.Cast<byte, long>(tensor.RawData.Span).ToArray(),
        (int)DataType.Int32 => [.. tensor.RawData.IsEmpty ? [.. tensor.Int32Data] : MemoryMarshal.Cast<byte, int>(tensor.RawData.Span).ToArray()],
        _ => throw new InvalidDataException($"Initializer '{tensor.Name}' is of ONNX type {(DataType)tensor.DataType}; integers are needed here."),
    };

    public static bool IsFloat(TensorProto tensor) => (DataType)tensor.DataType is DataType.Float or DataType.Float16 or DataType.Bfloat16 or DataType.Double;

    public static long ElementCount(TensorProto tensor) => tensor.Dims.Aggregate(1L, (product, size) => checked(product * size));

    /// <summary>Bytes of one element.</summary>
    /// <exception cref="InvalidDataException">Strings, and what packs two elements into a byte.</exception>
    public static int ElementSize(TensorProto tensor) => (DataType)tensor.DataType switch
    {
        DataType.Bool or DataType.Int8 or DataType.Uint8 => 1,
        DataType.Int16 or DataType.Uint16 or DataType.Float16 or DataType.Bfloat16 => 2,
        DataType.Int32 or DataType.Uint32 or DataType.Float => 4,
        DataType.Int64 or DataType.Uint64 or DataType.Double => 8,
        var other => throw new InvalidDataException($"Initializer '{tensor.Name}' is of ONNX type {other}, which is not supported."),
    };

    /// <summary>Puts values that stand one by one in the message into raw data, so that they can be cut without knowing their type.</summary>
    public static void MakeRaw(TensorProto tensor)
    {
        if (!tensor.RawData.IsEmpty || tensor.Dims.Contains(0)) return;
        tensor.RawData = (DataType)tensor.DataType switch
        {
            DataType.Float => Bytes<float>([.. tensor.FloatData]),
            DataType.Double => Bytes<double>([.. tensor.DoubleData]),
            DataType.Int64 => Bytes<long>([.. tensor.Int64Data]),
            DataType.Uint64 => Bytes<ulong>([.. tensor.Uint64Data]),
            DataType.Uint32 => Bytes<uint>([.. tensor.Uint64Data.Select(v => (uint)v)]),
            DataType.Int32 => Bytes<int>([.. tensor.Int32Data]),
            DataType.Int16 => Bytes<short>([.. tensor.Int32Data.Select(v => (short)v)]),
            DataType.Uint16 or DataType.Float16 or DataType.Bfloat16 => Bytes<ushort>([.. tensor.Int32Data.Select(v => (ushort)v)]),
            DataType.Int8 or DataType.Uint8 or DataType.Bool => Bytes<byte>([.. tensor.Int32Data.Select(v => (byte)v)]),
            _ => ByteString.Empty,
        };
        if (tensor.RawData.IsEmpty) return;
        tensor.FloatData.Clear();
        tensor.DoubleData.Clear();
        tensor.Int32Data.Clear();
        tensor.Int64Data.Clear();
        tensor.Uint64Data.Clear();
    }

    private static ByteString Bytes<T>(ReadOnlySpan<T> values)
        where T : struct => ByteString.CopyFrom(MemoryMarshal.AsBytes(values));
}
