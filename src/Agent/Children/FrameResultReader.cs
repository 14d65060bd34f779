using System.Text.Json;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>Reads a <see cref="FrameResult"/> as <see cref="MessageWriter.WriteResult"/> forms it, without the serializer: there is one for every frame.</summary>
internal static class FrameResultReader
{
    /// <returns>Null for whatever has any other form; the strict serializer judges that.</returns>
    public static FrameResult? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && Next(ref reader, "type"u8) && IsResult(ref reader) ? Members(ref reader) : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // No JSON, or a name that is no UTF-16.
            return null;
        }
    }

    private static bool IsResult(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("result"u8);

    private static FrameResult? Members(ref Utf8JsonReader reader)
    {
        if (!(NextNumber(ref reader, "frame"u8) && reader.TryGetInt64(out var frame))) return null;
        if (!(NextNumber(ref reader, "session"u8) && reader.TryGetInt32(out var session))) return null;
        if (!(NextNumber(ref reader, "capturedNanoseconds"u8) && reader.TryGetInt64(out var captured))) return null;
        if (!(NextNumber(ref reader, "latencyMilliseconds"u8) && reader.TryGetDouble(out var latency))) return null;
        if (!Next(ref reader, "scores"u8) || Scores(ref reader) is not { } scores) return null;
        return reader.Read() && reader.TokenType == JsonTokenType.EndObject && !reader.Read()
            ? new FrameResult { Frame = frame, Session = session, CapturedNanoseconds = captured, LatencyMilliseconds = latency, Scores = scores }
            : null;
    }

    private static List<ClassScore>? Scores(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray) return null;
        var scores = new List<ClassScore>();
        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            if (!(NextNumber(ref reader, "index"u8) && reader.TryGetInt32(out var index))) return null;
            if (!(NextNumber(ref reader, "probability"u8) && reader.TryGetSingle(out var probability))) return null;
            if (!reader.Read() || reader.TokenType != JsonTokenType.EndObject) return null;
            scores.Add(new ClassScore(index, probability));
        }

        return reader.TokenType == JsonTokenType.EndArray ? scores : null;
    }

    private static bool NextNumber(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) => Next(ref reader, name) && reader.TokenType == JsonTokenType.Number;

    // On the value of the next member, if that has this name.
    private static bool Next(ref Utf8JsonReader reader, ReadOnlySpan<byte> name) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(name) && reader.Read();
}
