using System.Text;

namespace Dunlin.Agent.Cameras;

/// <summary>
/// Takes users, passwords and query strings (which may be tokens) out of the URLs in a text. Everything that a camera process
/// writes to its standard error must go through here: ffmpeg repeats the whole URL in its messages.
/// </summary>
public static class UrlRedaction
{
    private const string Hidden = "***";

    /// <summary>Rather hides too much: a URL ends at white space or a double quote, and its user part at its last @.</summary>
    public static string Redact(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        var result = new StringBuilder(text.Length);
        var position = 0;
        while (text.IndexOf("://", position, StringComparison.Ordinal) is >= 0 and var scheme)
        {
            var begin = scheme + 3;
            var end = begin;
            while (end < text.Length && !char.IsWhiteSpace(text[end]) && text[end] != '"') end++;
            result.Append(text, position, begin - position);
            AppendRedacted(result, text.AsSpan(begin, end - begin));
            position = end;
        }

        return result.Append(text, position, text.Length - position).ToString();
    }

    private static void AppendRedacted(StringBuilder result, ReadOnlySpan<char> address)
    {
        var user = address.LastIndexOf('@');
        if (user >= 0) result.Append(Hidden).Append('@');
        address = address[(user + 1)..];
        var query = address.IndexOf('?');
        if (query < 0) result.Append(address);
        else result.Append(address[..query]).Append('?').Append(Hidden);
    }
}
