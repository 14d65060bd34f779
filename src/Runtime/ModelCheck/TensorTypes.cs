namespace Dunlin.Runtime.ModelCheck;

/// <summary>An element type of onnx.proto.</summary>
/// <param name="Name">As people write it.</param>
/// <param name="BitCount">Of one element in raw data.</param>
/// <param name="ListField">The typed list that may hold its elements instead; 0: none.</param>
internal readonly record struct TensorType(string Name, int BitCount, int ListField)
{
    /// <summary>Bytes of so many elements in raw data; four-bit elements share a byte.</summary>
    public long ByteCount(long elementCount) => (elementCount * BitCount + 7) / 8;
}

/// <summary>The element types that a release may use: all numbers but complex and 8-bit floating ones, no text.</summary>
internal static class TensorTypes
{
    public const int Float32 = 1, UInt8 = 2;

    /// <param name="number">TensorProto.DataType.</param>
    public static TensorType? Find(long number) => number switch
    {
        Float32 => new("float32", 32, 4),
        UInt8 => new("uint8", 8, 5),
        3 => new("int8", 8, 5),
        4 => new("uint16", 16, 5),
        5 => new("int16", 16, 5),
        6 => new("int32", 32, 5),
        7 => new("int64", 64, 7),
        9 => new("bool", 8, 5),
        10 => new("float16", 16, 5),
        11 => new("float64", 64, 10),
        12 => new("uint32", 32, 11),
        13 => new("uint64", 64, 11),
        16 => new("bfloat16", 16, 5),
        21 => new("uint4", 4, 0),
        22 => new("int4", 4, 0),
        _ => null,
    };
}
