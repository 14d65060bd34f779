using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Dunlin.Contracts.Documents;

/// <summary>The one way from untrusted bytes to a strict document: bounded size, strict JSON, then the document's own rules.</summary>
internal static class DocumentReader
{
    internal static DocumentResult<T> Read<T>(
        string kind, ReadOnlySpan<byte> json, int maximumByteCount, JsonTypeInfo<T> type, Action<T, Findings> rules)
        where T : class
    {
        if (json.Length > maximumByteCount)
            return Fail<T>(kind, new("$", string.Create(CultureInfo.InvariantCulture, $"{json.Length} bytes long"),
                string.Create(CultureInfo.InvariantCulture, $"must have at most {maximumByteCount} bytes"), "make it smaller"));
        T? value;
        try
        {
            value = JsonSerializer.Deserialize(json, type);
        }
        catch (JsonException e)
        {
            return Fail<T>(kind, Describe(e));
        }
        if (value is null) return Fail<T>(kind, new("$", "null", "must be an object", $"write a {kind}"));
        return Check(kind, value, rules);
    }

    /// <summary>The rules alone, for a document that was made here.</summary>
    internal static DocumentResult<T> Check<T>(string kind, T value, Action<T, Findings> rules)
        where T : class
    {
        var findings = new Findings();
        rules(value, findings);
        return new DocumentResult<T>(kind, value, findings.Errors);
    }

    private static DocumentResult<T> Fail<T>(string kind, DocumentError error)
        where T : class => new(kind, null, [error]);

    // The serializer's sentences say the rule; its path and position are taken out of the text and stated apart.
    private static DocumentError Describe(JsonException e)
    {
        var text = e.Message;
        var at = text.IndexOf(" Path: ", StringComparison.Ordinal);
        if (at >= 0) text = text[..at];
        text = text.TrimEnd('.', ' ');
        var position = e.LineNumber is { } line
            ? string.Create(CultureInfo.InvariantCulture, $"look at line {line + 1}, byte {e.BytePositionInLine + 1}")
            : "compare it with the schema in docs/schemas";
        return new DocumentError(e.Path ?? "$", null, new StringBuilder("is not valid: ").Append(text).ToString(), position);
    }
}
