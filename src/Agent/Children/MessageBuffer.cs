using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>
/// Puts messages together from the bytes of a pipe, however they are cut: write into <see cref="Free"/>, then
/// <see cref="Advance"/>, then take messages until there is none. It grows to the longest message seen, at most
/// the protocol's limit, and only as bytes really arrive.
/// </summary>
internal sealed class MessageBuffer
{
    private const int HeaderByteCount = 4;
    private const int InitialByteCount = 8192;

    private byte[] _bytes = new byte[InitialByteCount];
    private int _start;
    private int _end;

    /// <summary>Where the next bytes go; never empty.</summary>
    public Span<byte> Free
    {
        get
        {
            if (_start == _end) (_start, _end) = (0, 0);
            if (_end == _bytes.Length && _start > 0)
            {
                _bytes.AsSpan(_start.._end).CopyTo(_bytes);
                (_start, _end) = (0, _end - _start);
            }

            if (_end == _bytes.Length) Array.Resize(ref _bytes, _bytes.Length * 2);
            return _bytes.AsSpan(_end);
        }
    }

    /// <summary>The pipe ended between two messages.</summary>
    public bool IsEmpty => _start == _end;

    public void Advance(int count) => _end += count;

    /// <summary>The next whole message, or null if more bytes are needed.</summary>
    /// <exception cref="MessageException">Too long, empty, or not a message of this protocol.</exception>
    public T? Take<T>(JsonTypeInfo<T> type)
        where T : class
    {
        var json = Next();
        return json.IsEmpty ? null : Parse(json, type);
    }

    /// <inheritdoc cref="Take{T}"/>
    public FromChild? TakeFromChild()
    {
        var json = Next();
        return json.IsEmpty ? null : FrameResultReader.Read(json) ?? Parse(json, StrictJson.Default.FromChild);
    }

    // Empty if more bytes are needed.
    private ReadOnlySpan<byte> Next()
    {
        if (_end - _start < HeaderByteCount) return [];
        var length = BinaryPrimitives.ReadUInt32LittleEndian(_bytes.AsSpan(_start));
        if (length is 0 or > MessageWriter.MaximumByteCount)
            throw new MessageException($"A message claims {length} bytes; the protocol allows 1 to {MessageWriter.MaximumByteCount}.");
        if (_end - _start - HeaderByteCount < length) return [];
        var json = _bytes.AsSpan(_start + HeaderByteCount, (int)length);
        _start += HeaderByteCount + (int)length;
        return json;
    }

    private static T Parse<T>(ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw new MessageException("A message is null.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or ArgumentException or InvalidOperationException)
        {
            throw new MessageException($"A message of {json.Length} bytes is not of this protocol: {e.Message}", e);
        }
    }
}
