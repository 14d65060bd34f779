namespace Dunlin.TestKit.Trees;

/// <summary>The working tree that the tests were built in.</summary>
public static class WorkingTree
{
    public static string Root { get; } = Find();

    public static string DemoBundle { get; } = Path.Combine(Root, "demo", "bundle");

    /// <summary>A folder with all that is below it, empty folders included; the target need not exist.</summary>
    /// <returns>The target.</returns>
    public static string Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (var folder in Directory.EnumerateDirectories(from, "*", SearchOption.AllDirectories))
            Directory.CreateDirectory(Path.Combine(to, Path.GetRelativePath(from, folder)));
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
            File.Copy(file, Path.Combine(to, Path.GetRelativePath(from, file)));
        return to;
    }

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (File.Exists(Path.Combine(at.FullName, "Agent.sln"))) return at.FullName;
        }

        throw new DirectoryNotFoundException($"No Agent.sln above '{AppContext.BaseDirectory}'; run the tests from the working tree.");
    }
}
