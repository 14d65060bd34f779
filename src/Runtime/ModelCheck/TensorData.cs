using System.Buffers.Binary;

namespace Dunlin.Runtime.ModelCheck;

/// <summary>What a tensor holds: in which field, how much, and the first few int64 numbers, since those may be the shape of another tensor.</summary>
internal struct TensorData
{
    /// <summary>Indices that mean "to the end" are no sizes.</summary>
    private const long Sentinel = 1L << 62;

    private Numbers _first;

    /// <summary>The one field that has elements; 0 if none has.</summary>
    public int Source { get; private set; }

    /// <summary>Elements; bytes of raw data.</summary>
    public long Count { get; private set; }

    /// <summary>The product of the numbers, if they are few enough to be a shape; meaningful for int64 tensors only.</summary>
    public readonly double ShapeSize
    {
        get
        {
            var product = 1.0;
            var count = Source == TensorWalk.RawField ? Count / sizeof(long) : Count;
            for (var i = 0; i < count && count <= CheckLimits.Dimensions; i++)
                if (_first[i] is > 0 and < Sentinel) product *= _first[i];
            return product;
        }
    }

    /// <summary>One number of <c>int64_data</c>.</summary>
    public void Add(WalkState walk, in WireField field, long value)
    {
        if (Count < CheckLimits.Dimensions) _first[(int)Count] = value;
        Skip(walk, field, 1);
    }

    /// <summary>The payload of <c>raw_data</c>.</summary>
    public void AddRaw(WalkState walk, in WireField field)
    {
        var byteCount = field.End - walk.Reader.Position;
        Skip(walk, field, byteCount);
        if (byteCount <= CheckLimits.Dimensions * sizeof(long))
        {
            Span<byte> bytes = stackalloc byte[CheckLimits.Dimensions * sizeof(long)];
            walk.Reader.Read(bytes[..(int)byteCount], field.End);
            for (var i = 0; i < byteCount / sizeof(long); i++) _first[i] = BinaryPrimitives.ReadInt64LittleEndian(bytes[(i * sizeof(long))..]);
        }

        walk.Reader.SkipTo(field.End);
    }

    /// <summary>Elements that are only counted.</summary>
    public void Skip(WalkState walk, in WireField field, long count)
    {
        if (Source != 0 && Source != field.Number)
            throw walk.Refuse(CheckCodes.Tensor, field.Start, $"the tensor has data in the fields {Source} and {field.Number}", "export the model again");
        (Source, Count) = (field.Number, Count + count);
    }

    [System.Runtime.CompilerServices.InlineArray(CheckLimits.Dimensions)]
    private struct Numbers
    {
        private long _number;
    }
}
