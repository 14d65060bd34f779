using System.Globalization;

namespace Dunlin.Telemetry.Board;

/// <summary>The kernel's text files below a root directory. What is absent, unreadable or no number is null; nothing here throws.</summary>
internal sealed class SysFiles(string root)
{
    private readonly string _root = root;

    /// <summary>The path on this machine of an absolute path on the board.</summary>
    public string Locate(string path) => Path.Join(_root, path);

    /// <summary>The trimmed text, without the NUL that ends device-tree strings; null for nothing.</summary>
    public string? ReadText(string path)
    {
        try
        {
            // What a board does not have is asked for each second, and an exception costs twenty times this look.
            if (!File.Exists(Locate(path))) return null;
            var text = File.ReadAllText(Locate(path)).Trim('\0', ' ', '\n', '\r', '\t');
            return text.Length == 0 ? null : text;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return null;
        }
    }

    public string[] ReadLines(string path) => ReadText(path)?.Split('\n') ?? [];

    public long? ReadLong(string path) =>
        long.TryParse(ReadText(path), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    public double? ReadDouble(string path) =>
        double.TryParse(ReadText(path), NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : null;

    /// <summary>Board paths of the entries of a folder that match, in order of their names with numbers compared as numbers.</summary>
    public string[] List(string folder, string pattern = "*")
    {
        try
        {
            var names = Directory.EnumerateFileSystemEntries(Locate(folder), pattern)
                .Select(entry => Path.GetFileName(entry)).ToArray();
            Array.Sort(names, StringComparer.Create(CultureInfo.InvariantCulture, CompareOptions.NumericOrdering));
            return Array.ConvertAll(names, name => $"{folder}/{name}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return [];
        }
    }

    /// <summary>Why a file cannot be read, for a person; null if it can.</summary>
    public string? WhyUnreadable(string path)
    {
        try
        {
            using var _ = File.OpenRead(Locate(path));
            return null;
        }
        catch (UnauthorizedAccessException) { return "permission denied"; }
        catch (Exception e) when (e is IOException or ArgumentException) { return e is FileNotFoundException or DirectoryNotFoundException ? "no such file" : e.Message; }
    }
}
