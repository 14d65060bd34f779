using System.CommandLine;

namespace Dunlin.Optimizer.Graph;

/// <summary>A command line as it may be shown to others: runnable where its files lie, and without the folders of whoever ran it.</summary>
internal static class CommandLine
{
    /// <summary>The whole line, quoted for a shell. Paths below the working directory become relative, other private ones keep their last name.</summary>
    public static string Of(ParseResult arguments) => string.Join(' ', arguments.Tokens.Select(t => Quoted(Shown(t.Value))).Prepend("dunlin-optimizer"));

    /// <summary>One path of it.</summary>
    public static string Shown(string token)
    {
        if (!Path.IsPathRooted(token) || token.StartsWith("/usr/", StringComparison.Ordinal)) return token;
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, token);
        return relative.StartsWith("..", StringComparison.Ordinal) || Path.IsPathRooted(relative) ? Path.GetFileName(Path.TrimEndingDirectorySeparator(token)) : relative;
    }

    private static string Quoted(string token) =>
        token.Length > 0 && token.All(c => char.IsAsciiLetterOrDigit(c) || "-_./,=:+@%^~×".Contains(c, StringComparison.Ordinal)) ? token : $"'{token.Replace("'", @"'\''", StringComparison.Ordinal)}'";
}
