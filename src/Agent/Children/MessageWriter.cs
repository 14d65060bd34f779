using System.Buffers;
using System.Buffers.Binary;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>Makes messages of the pipe: u32 little-endian length, then UTF-8 JSON. The buffer is reused; not for two threads at once.</summary>
public sealed class MessageWriter : IDisposable
{
    /// <summary>Bytes of JSON in one message.</summary>
    public const int MaximumByteCount = 1024 * 1024;

    private const int HeaderByteCount = 4;

    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly Utf8JsonWriter _json;

    public MessageWriter() => _json = new Utf8JsonWriter(_buffer, new JsonWriterOptions { SkipValidation = true });

    /// <summary>The message with its length; valid until the next one.</summary>
    public ReadOnlyMemory<byte> Write(ToChild message) => Write(message, StrictJson.Default.ToChild);

    /// <inheritdoc cref="Write(ToChild)"/>
    public ReadOnlyMemory<byte> Write(FromChild message) => Write(message, StrictJson.Default.FromChild);

    /// <summary>A <see cref="FrameResult"/> from its parts, without an allocation: this is written for every frame. Scores that are not finite are an error of the caller.</summary>
    public ReadOnlyMemory<byte> WriteResult(long frame, long capturedNanoseconds, double latencyMilliseconds, ReadOnlySpan<ClassScore> scores, int session = 0)
    {
        Begin();
        _json.WriteStartObject();
        _json.WriteString("type"u8, "result"u8);
        _json.WriteNumber("frame"u8, frame);
        _json.WriteNumber("session"u8, session);
        _json.WriteNumber("capturedNanoseconds"u8, capturedNanoseconds);
        _json.WriteNumber("latencyMilliseconds"u8, latencyMilliseconds);
        _json.WriteStartArray("scores"u8);
        foreach (var score in scores)
        {
            _json.WriteStartObject();
            _json.WriteNumber("index"u8, score.Index);
            _json.WriteNumber("probability"u8, score.Probability);
            _json.WriteEndObject();
        }

        _json.WriteEndArray();
        _json.WriteEndObject();
        return End();
    }

    public void Dispose() => _json.Dispose();

    private ReadOnlyMemory<byte> Write<T>(T message, JsonTypeInfo<T> type)
    {
        Begin();
        JsonSerializer.Serialize(_json, message, type);
        return End();
    }

    private void Begin()
    {
        _buffer.ResetWrittenCount();
        _buffer.GetSpan(HeaderByteCount)[..HeaderByteCount].Clear();
        _buffer.Advance(HeaderByteCount);
        _json.Reset();
    }

    private ReadOnlyMemory<byte> End()
    {
        _json.Flush();
        var length = _buffer.WrittenCount - HeaderByteCount;
        if (length > MaximumByteCount)
            throw new MessageException($"A message of {length} bytes is longer than the {MaximumByteCount} of the pipe's protocol.");
        var message = System.Runtime.InteropServices.MemoryMarshal.AsMemory(_buffer.WrittenMemory);
        BinaryPrimitives.WriteUInt32LittleEndian(message.Span, (uint)length);
        return message;
    }
}
