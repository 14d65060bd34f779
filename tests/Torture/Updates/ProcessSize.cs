namespace Dunlin.Torture.Updates;

/// <summary>What a process holds.</summary>
internal readonly record struct ProcessSize(double Megabytes, int Descriptors, int Threads)
{
    /// <param name="id">Of a process that runs.</param>
    public static ProcessSize Of(int id)
    {
        var status = File.ReadLines($"/proc/{id}/status").Select(line => line.Split(':', 2)).ToDictionary(pair => pair[0], pair => pair[1].Trim());
        // RssAnon leaves out the pages of mapped files, which the kernel takes back when it wants them.
        return new ProcessSize(Kilobytes(status["RssAnon"]) / 1024, Directory.GetFiles($"/proc/{id}/fd").Length, int.Parse(status["Threads"], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>The child of a process whose arguments hold a word; null if there is none.</summary>
    public static int? ChildOf(int parent, string word) => Directory.EnumerateDirectories("/proc")
        .Select(folder => int.TryParse(Path.GetFileName(folder), out var id) ? id : 0)
        .Where(id => id > 0 && IsChild(id, parent, word)).Cast<int?>().FirstOrDefault();

    private static bool IsChild(int id, int parent, string word)
    {
        try
        {
            var status = File.ReadAllText($"/proc/{id}/stat");
            return status[(status.LastIndexOf(')') + 2)..].Split(' ')[1] == parent.ToString(System.Globalization.CultureInfo.InvariantCulture)
                && File.ReadAllText($"/proc/{id}/cmdline").Split('\0').Contains(word);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static double Kilobytes(string text) => double.Parse(text.Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture);
}
