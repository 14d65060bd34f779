using System.Text;

namespace Dunlin.Runtime.ModelCheck;

/// <summary>How a field's payload is written.</summary>
internal enum WireType
{
    Varint = 0,
    Fixed64 = 1,
    Bytes = 2,
    Fixed32 = 5,
}

/// <summary>One field of a message.</summary>
/// <param name="Number">As in onnx.proto.</param>
/// <param name="Type">How it is written.</param>
/// <param name="Start">Byte of its tag.</param>
/// <param name="End">Byte after its payload.</param>
/// <param name="Value">Of a varint.</param>
internal readonly record struct WireField(int Number, WireType Type, long Start, long End, ulong Value);

/// <summary>
/// Protobuf wire format out of a stream, through one buffer of fixed size; what is skipped is not read. Every length is
/// held against the message around it before anything is done with it.
/// </summary>
internal sealed class WireReader(Stream stream, long length)
{
    private const int BufferByteCount = 64 * 1024;
    private const int TagTypeBits = 3;
    private const int VarintByteCount = 10;
    private static readonly UTF8Encoding StrictUtf8 = new(false, throwOnInvalidBytes: true);

    private readonly byte[] _buffer = new byte[BufferByteCount];
    private long _bufferStart;
    private int _bufferLength;
    private int _next;
    private int _fieldCount;
    private long _typedCount;

    /// <summary>Bytes of the whole file.</summary>
    public long Length { get; } = length;

    public long Position => _bufferStart + _next;

    /// <summary>The next field of the message that ends at <paramref name="end"/>; false at its end. The payload of <see cref="WireType.Bytes"/> is left to the caller, who must read or skip all of it.</summary>
    public bool Next(long end, out WireField field)
    {
        field = default;
        var start = Position;
        if (start == end) return false;
        if (++_fieldCount > CheckLimits.Fields)
            throw Refuse(CheckCodes.Limit, start, $"the file has more than {CheckLimits.Fields} fields", "leave out metadata and debugging text");
        var tag = Varint(end);
        var number = tag >> TagTypeBits;
        if (number is 0 or > 536_870_911) throw Malformed(start, $"the field number {number} cannot be");
        var type = (WireType)(tag & 7);
        field = type switch
        {
            WireType.Varint => new WireField((int)number, type, start, 0, Varint(end)),
            WireType.Fixed64 => new WireField((int)number, type, start, Within(start, Position, 8, end), 0),
            WireType.Fixed32 => new WireField((int)number, type, start, Within(start, Position, 4, end), 0),
            WireType.Bytes => Delimited((int)number, start, end),
            _ => throw Malformed(start, $"field {number} is a group or of no wire type (type {(int)type})"),
        };
        if (type is WireType.Fixed32 or WireType.Fixed64) SkipTo(field.End);
        return true;
    }

    public void SkipTo(long position)
    {
        var ahead = position - _bufferStart;
        if (ahead <= _bufferLength)
        {
            _next = (int)ahead;
            return;
        }

        _bufferStart = position;
        _bufferLength = _next = 0;
    }

    /// <summary>Reads bytes of a message that ends at <paramref name="end"/>.</summary>
    public void Read(Span<byte> bytes, long end)
    {
        foreach (ref var value in bytes) value = Byte(end);
    }

    /// <summary>Reads the payload of a name.</summary>
    public string Name(in WireField field)
    {
        var count = field.End - Position;
        if (count > CheckLimits.NameByteCount)
            throw Refuse(CheckCodes.Limit, field.Start, $"a name has {count} bytes, more than {CheckLimits.NameByteCount}", "give the parts of the graph shorter names");
        Span<byte> bytes = stackalloc byte[(int)count];
        Read(bytes, field.End);
        try
        {
            return StrictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException)
        {
            throw Malformed(field.Start, "a name is not valid UTF-8");
        }
    }

    /// <summary>The next varint of a packed field; false at its end.</summary>
    public bool Item(in WireField field, out long value)
    {
        value = 0;
        if (Position == field.End) return false;
        if (++_typedCount > CheckLimits.TypedElements)
            throw Refuse(CheckCodes.Limit, field.Start, $"the file has more than {CheckLimits.TypedElements} numbers outside raw data", "store weights as raw_data");
        value = unchecked((long)Varint(field.End));
        return true;
    }

    /// <summary>How many varints a packed field holds; reads all of them.</summary>
    public long Packed(in WireField field)
    {
        long count = 0;
        while (Item(field, out _)) count++;
        return count;
    }

    /// <summary>How many numbers of a fixed width a packed field holds; skips them.</summary>
    public long PackedFixed(in WireField field, int width)
    {
        var count = field.End - Position;
        if (count % width != 0) throw Malformed(field.Start, $"a list of {width}-byte numbers has {count} bytes");
        SkipTo(field.End);
        return count / width;
    }

    public static ModelRefusedException Refuse(string code, long position, string what, string nextStep) =>
        new(code, FormattableString.Invariant($"At byte {position} {what}; {nextStep}."));

    public static ModelRefusedException Malformed(long position, string what) =>
        Refuse(CheckCodes.Malformed, position, what, "the file is damaged or no ONNX model: export it again");

    private WireField Delimited(int number, long start, long end)
    {
        var count = Varint(end);
        return new WireField(number, WireType.Bytes, start, Within(start, Position, count, end), 0);
    }

    private static long Within(long start, long position, ulong count, long end) => count <= (ulong)(end - position)
        ? position + (long)count
        : throw Malformed(start, $"a field of {count} bytes does not fit into the {end - position} that are left of its message");

    private ulong Varint(long end)
    {
        var start = Position;
        ulong value = 0;
        for (var i = 0; i < VarintByteCount; i++)
        {
            var next = Byte(end);
            if (i == VarintByteCount - 1 && next > 1) break;
            value |= (ulong)(next & 0x7F) << (7 * i);
            if (next < 0x80) return value;
        }

        throw Malformed(start, "a number has more than 64 bits");
    }

    private byte Byte(long end)
    {
        if (Position >= end) throw Malformed(end, "a message ends in the middle of a field");
        if (_next == _bufferLength) Fill();
        return _buffer[_next++];
    }

    private void Fill()
    {
        _bufferStart = Position;
        stream.Position = _bufferStart;
        _bufferLength = stream.Read(_buffer);
        _next = 0;
        if (_bufferLength == 0) throw Refuse(CheckCodes.Unreadable, _bufferStart, "the file became shorter while it was read", "fetch it again");
    }
}
