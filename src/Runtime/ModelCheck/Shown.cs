namespace Dunlin.Runtime.ModelCheck;

/// <summary>Text out of an untrusted file as it may stand in a message: short, and without control characters.</summary>
internal static class Shown
{
    private const int CharacterCount = 80;

    public static string Name(string text)
    {
        var shown = text.Length > CharacterCount ? text.AsSpan(0, CharacterCount) : text;
        Span<char> clean = stackalloc char[CharacterCount];
        for (var i = 0; i < shown.Length; i++) clean[i] = IsPlain(shown[i]) ? shown[i] : '·';
        return $"'{clean[..shown.Length]}{(shown.Length < text.Length ? "…" : "")}'";
    }

    // Neither what moves a terminal's cursor nor what turns the direction of writing; halves of a cut pair go as well.
    private static bool IsPlain(char c) => !char.IsControl(c) && !char.IsSurrogate(c) && char.GetUnicodeCategory(c) is not
        (System.Globalization.UnicodeCategory.Format or System.Globalization.UnicodeCategory.LineSeparator or System.Globalization.UnicodeCategory.ParagraphSeparator);
}
