using System.Globalization;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;

namespace Dunlin.Contracts.Documents;

/// <summary>Collects broken rules, so that an author sees all of them at once.</summary>
internal sealed class Findings
{
    private const int ShownCharacterCount = 80;
    private const int FirstYearOfNobody = 2200;
    private readonly List<DocumentError> _errors = [];

    internal IReadOnlyList<DocumentError> Errors => _errors;

    /// <summary>Notes the rule unless it holds; gives back whether it does.</summary>
    internal bool Require(bool holds, string path, object? value, string rule, string nextStep)
    {
        if (!holds) _errors.Add(new DocumentError(path, Show(value), rule, nextStep));
        return holds;
    }

    internal void Schema(string path, string value, string expected) =>
        Require(value == expected, path, value, $"must be '{expected}'", "use an agent or tool of the version that knows this schema");

    internal void Name(string path, string value) =>
        Require(DeviceName.IsValid(value), path, value, $"must match {DeviceName.Rule}", "use 1 to 63 lower-case letters, digits and hyphens, not starting with a hyphen");

    internal void Text(string path, string value, int maximumLength) =>
        Require(value.Length > 0 && value.Length <= maximumLength && !value.Any(char.IsControl), path, value,
            string.Create(CultureInfo.InvariantCulture, $"must be 1 to {maximumLength} characters without control characters"), "write another text");

    internal void Share(string path, double value) =>
        Require(value is >= 0 and <= 1, path, value, "must lie in 0…1", "write a share, not a percentage");

    internal void Between(string path, long value, long least, long most, string unit) =>
        Require(value >= least && value <= most, path, value,
            string.Create(CultureInfo.InvariantCulture, $"must lie in {least}…{most} {unit}"), "correct the value");

    /// <summary>A signed time that readers learn and that never falls: one by a clock gone wild must not be learned.</summary>
    internal void SignedTime(string path, DateTimeOffset value) =>
        Require(value.Year < FirstYearOfNobody, path, value, $"must be before the year {FirstYearOfNobody}", "correct the clock of who signed it, and sign it again");

    /// <summary>Counts and absence of nulls, which the serializer does not check in lists.</summary>
    internal bool Items<T>(string path, IReadOnlyList<T> items, int least, int most)
    {
        var holds = Require(items.Count >= least && items.Count <= most, path, new ItemCount(items.Count),
            string.Create(CultureInfo.InvariantCulture, $"must have {least} to {most} items"), "add or remove some");
        for (var i = 0; i < items.Count; i++)
            holds &= Require(items[i] is not null, $"{path}[{i}]", "null", "must not be null", "remove it");
        return holds;
    }

    internal void Unique<T>(string path, IReadOnlyList<T> items)
    {
        var seen = new HashSet<T>();
        for (var i = 0; i < items.Count; i++)
            Require(seen.Add(items[i]), $"{path}[{i}]", items[i], "must not stand twice", "remove one");
    }

    internal void Blob(string path, Blob blob, long maximumByteCount)
    {
        Between($"{path}.size", blob.Size, 1, maximumByteCount, "bytes");
        Require(blob.ChunkSize == Artifacts.Blob.StandardChunkSize, $"{path}.chunkSize", blob.ChunkSize, $"must be {Artifacts.Blob.StandardChunkSize}", "cut the blob anew");
        var expected = Artifacts.Blob.CountChunks(blob.Size);
        Require(blob.Chunks.Count == expected, $"{path}.chunks", new ItemCount(blob.Chunks.Count), $"must have {expected} items, ⌈size / {Artifacts.Blob.StandardChunkSize}⌉", "cut the blob anew");
        if (blob.Chunks.Count == 1)
            Require(blob.Chunks[0] == blob.Digest, $"{path}.chunks[0]", blob.Chunks[0], "must equal the digest where there is one chunk", "cut the blob anew");
    }

    private static string? Show(object? value)
    {
        var text = value switch
        {
            null => null,
            string s => $"'{s}'",
            IFormattable f => f.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString(),
        };
        return text?.Length > ShownCharacterCount ? text[..ShownCharacterCount] + "…" : text;
    }
}

/// <summary>Shows the length of a list where the list itself would say nothing.</summary>
internal readonly record struct ItemCount(int Count)
{
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Count} items long");
}
