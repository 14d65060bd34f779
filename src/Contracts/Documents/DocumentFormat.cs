using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Contracts.Documents;

/// <summary>The one way from untrusted bytes to a strict document, bounded size, strict JSON, then the document's own rules, and back to its bytes.</summary>
public sealed class DocumentFormat<T>
    where T : class
{
    private readonly string _kind;
    private readonly JsonTypeInfo<T> _type;
    private readonly Action<T, Findings> _rules;
    private readonly Func<T, T>? _seal;

    /// <param name="kind">What messages call it.</param>
    /// <param name="maximumByteCount">Of its JSON.</param>
    /// <param name="type">Of <see cref="StrictJson"/>.</param>
    /// <param name="rules">Note what it breaks.</param>
    /// <param name="seal">
    /// What is written for a document: itself, or itself with a fresh checksum. It is never refused, since a board
    /// writes its state in the middle of an update. Null: a document that breaks its rules is not written.
    /// </param>
    internal DocumentFormat(string kind, int maximumByteCount, JsonTypeInfo<T> type, Action<T, Findings> rules, Func<T, T>? seal = null) =>
        (_kind, MaximumByteCount, _type, _rules, _seal) = (kind, maximumByteCount, type, rules, seal);

    public int MaximumByteCount { get; }

    public DocumentResult<T> Read(ReadOnlySpan<byte> json)
    {
        if (json.Length > MaximumByteCount)
            return Fail(new("$", string.Create(CultureInfo.InvariantCulture, $"{json.Length} bytes long"),
                string.Create(CultureInfo.InvariantCulture, $"must have at most {MaximumByteCount} bytes"), "make it smaller"));
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json, _type);
        }
        catch (JsonException e)
        {
            return Fail(Describe(e));
        }
        return value is null ? Fail(new("$", "null", "must be an object", $"write a {_kind}")) : Check(value);
    }

    /// <summary>The same document gives the same bytes, so the same digest.</summary>
    /// <exception cref="DocumentException">It breaks a rule; of what authors sign only, never of an envelope or of a board's state.</exception>
    public byte[] Write(T value) => JsonSerializer.SerializeToUtf8Bytes(_seal is null ? Check(value).GetOrThrow() : _seal(value), _type);

    private DocumentResult<T> Check(T value)
    {
        var findings = new Findings();
        _rules(value, findings);
        return new DocumentResult<T>(_kind, value, findings.Errors);
    }

    private DocumentResult<T> Fail(DocumentError error) => new(_kind, null, [error]);

    // The serializer's sentences say the rule; its path and position are taken out of the text and stated apart.
    private static DocumentError Describe(JsonException e)
    {
        var text = e.Message;
        var at = text.IndexOf(" Path: ", StringComparison.Ordinal);
        if (at >= 0) text = text[..at];
        var position = e.LineNumber is { } line
            ? string.Create(CultureInfo.InvariantCulture, $"look at line {line + 1}, byte {e.BytePositionInLine + 1}")
            : "compare it with the schema in docs/schemas";
        return new DocumentError(e.Path ?? "$", null, $"is not valid: {text.TrimEnd('.', ' ')}", position);
    }
}
