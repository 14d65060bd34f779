namespace Dunlin.Optimizer.Reporting;

/// <summary>English in the small.</summary>
internal static class Sentence
{
    /// <summary><c>a, b and c</c></summary>
    public static string List(IReadOnlyList<string> words) => words.Count < 2 ? string.Concat(words) : $"{string.Join(", ", words.SkipLast(1))} and {words[^1]}";

    public static string Begin(string text) => text.Length > 0 ? char.ToUpperInvariant(text[0]) + text[1..] : text;
}
