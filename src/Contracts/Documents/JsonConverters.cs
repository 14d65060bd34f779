using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Documents;

/// <summary>RFC 3339 with a stated offset, written in UTC as <c>2026-11-24T17:00:00Z</c>: a time without an offset would mean another instant on every board.</summary>
internal sealed class UtcTimeConverter : JsonConverter<DateTimeOffset>
{
    private const string Format = "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'";

    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = reader.TokenType == JsonTokenType.String ? reader.GetString()! : null;
        var isStated = text?.Length >= 20 && (text[^1] == 'Z' || (text[^6] is '+' or '-' && text[^3] == ':'));
        return isStated && reader.TryGetDateTimeOffset(out var time)
            ? time.ToUniversalTime()
            : throw new JsonException($"'{text}' is not a time; write it as 2026-11-24T17:00:00Z");
    }

    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Text(value));

    public static string Text(DateTimeOffset value) => value.ToUniversalTime().ToString(Format, CultureInfo.InvariantCulture);
}

/// <summary>
/// Writes an element byte for byte as it was made or read. The library's own converter escapes its texts anew, and makes six bytes of each '+' of Base64,
/// which the serializer had left alone.
/// </summary>
internal sealed class VerbatimConverter : JsonConverter<JsonElement>
{
    public override JsonElement Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => JsonElement.ParseValue(ref reader);

    public override void Write(Utf8JsonWriter writer, JsonElement value, JsonSerializerOptions options) =>
        writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
}

/// <summary>Enums by name only; the library's own converter also takes numbers, even of no member.</summary>
internal sealed class EnumNameConverter<T>() : JsonStringEnumConverter<T>(namingPolicy: JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
