namespace Dunlin.Agent.Updates.Fetching;

/// <summary>The parameters of a WWW-Authenticate challenge, <c>name="value",…</c> (RFC 9110, 11.2).</summary>
internal static class ChallengeParameters
{
    /// <summary>Takes what it understands; the first of equal names counts.</summary>
    internal static IReadOnlyDictionary<string, string> Parse(string challenge)
    {
        var result = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var rest = challenge.AsSpan();
        while (rest.IndexOf('=') is > 0 and var equals)
        {
            var name = rest[..equals].Trim([' ', ',', '\t']).ToString();
            rest = rest[(equals + 1)..].TrimStart();
            var value = rest is ['"', ..] ? Quoted(ref rest) : Plain(ref rest);
            result.TryAdd(name, value);
        }
        return result;
    }

    private static string Plain(ref ReadOnlySpan<char> rest)
    {
        var end = rest.IndexOf(',');
        var value = (end < 0 ? rest : rest[..end]).Trim().ToString();
        rest = end < 0 ? [] : rest[(end + 1)..];
        return value;
    }

    private static string Quoted(ref ReadOnlySpan<char> rest)
    {
        var value = new System.Text.StringBuilder();
        var at = 1;
        for (; at < rest.Length && rest[at] != '"'; at++)
        {
            if (rest[at] == '\\' && at + 1 < rest.Length) at++;
            value.Append(rest[at]);
        }
        rest = at + 1 < rest.Length ? rest[(at + 1)..] : [];
        return value.ToString();
    }
}
