namespace Dunlin.TestKit.Machine;

/// <summary>What <c>/proc</c> says of processes.</summary>
public static class ProcessTable
{
    public static IReadOnlyList<int> ChildrenOf(int id)
    {
        try
        {
            return [.. Directory.EnumerateDirectories($"/proc/{id}/task").SelectMany(ChildrenOfThread)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>The child of a process whose arguments hold a word; null if there is none.</summary>
    public static int? ChildOf(int id, string word) => ChildrenOf(id).Where(child => CommandLineOf(child).Contains(word)).Cast<int?>().FirstOrDefault();

    // It may have ended since it was listed.
    private static IEnumerable<int> ChildrenOfThread(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "children")).Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse);
        }
        catch (IOException)
        {
            return [];
        }
    }

    public static IReadOnlyList<string> CommandLineOf(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Split('\0', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (IOException)
        {
            return [];
        }
    }

    /// <summary>It exists and is more than an entry that nobody has reaped.</summary>
    public static bool IsAlive(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[stat.LastIndexOf(')') + 2] is not ('Z' or 'X');
        }
        catch (IOException)
        {
            return false;
        }
    }

    public static void Signal(int id, string name) => Tool.Run("kill", $"-{name}", $"{id}");
}
