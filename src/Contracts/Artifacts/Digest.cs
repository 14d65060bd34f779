using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Artifacts;

/// <summary>A SHA-256 content digest as OCI writes it: <c>sha256:</c> and 64 lower-case hex digits.</summary>
[JsonConverter(typeof(DigestJsonConverter))]
public readonly record struct Digest
{
    private const string Prefix = "sha256:";
    private readonly string? _hex;

    private Digest(string hex) => _hex = hex;

    /// <summary>The 64 hex digits, which are the blob's file name under <c>blobs/sha256/</c>.</summary>
    public string Hex => _hex ?? throw new InvalidOperationException("The digest was never set.");

    public static Digest Of(ReadOnlySpan<byte> content) => FromHash(SHA256.HashData(content));

    /// <param name="hash">The 32 bytes of a SHA-256.</param>
    public static Digest FromHash(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, SHA256.HashSizeInBytes);
        return new Digest(Convert.ToHexStringLower(hash));
    }

    /// <exception cref="FormatException">The text is not <c>sha256:</c> and 64 lower-case hex digits.</exception>
    public static Digest Parse(string text) => TryParse(text, out var digest)
        ? digest
        : throw new FormatException($"'{text}' is not a digest; write sha256: and 64 lower-case hex digits.");

    public static bool TryParse(string? text, out Digest digest)
    {
        digest = default;
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var hex = text[Prefix.Length..];
        if (hex.Length != 64 || !hex.All(char.IsAsciiHexDigitLower)) return false;
        digest = new Digest(hex);
        return true;
    }

    public override string ToString() => _hex is null ? "(no digest)" : Prefix + _hex;
}

/// <summary>Public because other source-generated contexts need it.</summary>
public sealed class DigestJsonConverter : JsonConverter<Digest>
{
    public override Digest Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Of(reader.TokenType == JsonTokenType.String ? reader.GetString() : null);

    public override void Write(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());

    public override Digest ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Of(reader.GetString());

    public override void WriteAsPropertyName(Utf8JsonWriter writer, Digest value, JsonSerializerOptions options) =>
        writer.WritePropertyName(value.ToString());

    // Readers of documents expect what is wrong with one as a JsonException.
    private static Digest Of(string? text) => Digest.TryParse(text, out var digest)
        ? digest
        : throw new JsonException($"'{text}' is not a digest; write sha256: and 64 lower-case hex digits.");
}
