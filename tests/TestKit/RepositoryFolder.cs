namespace Dunlin.TestKit;

/// <summary>Folders of the repository that the tests run in, and the data beside it.</summary>
public static class RepositoryFolder
{
    /// <summary>The repository's root: the folder of <c>Agent.sln</c> above the test's own.</summary>
    public static string Root { get; } = Above(AppContext.BaseDirectory);

    public static string DemoBundle { get; } = Path.Combine(Root, "demo", "bundle");

    /// <summary>The configuration that this test was built in, as MSBuild's artifacts layout spells it: <c>release</c> or <c>debug</c>.</summary>
    public static string Configuration { get; } = Path.GetFileName(AppContext.BaseDirectory.TrimEnd('/'));

    /// <summary>The apphost of a program of that configuration.</summary>
    /// <param name="project">For example <c>Agent</c>.</param>
    /// <param name="program">For example <c>dunlin-agent</c>.</param>
    public static string Program(string project, string program) => Path.Combine(Root, "artifacts", "bin", project, Configuration, program);

    /// <summary>A file or folder of the repository; null if it is not there.</summary>
    /// <param name="path">Relative to the root.</param>
    public static string? Find(string path) => Existing(Path.Combine(Root, path));

    /// <summary>A file or folder of the data that tests share (<c>DUNLIN_SHARED</c>, else <c>../shared</c>); null if it is not there.</summary>
    /// <param name="path">Relative to it, for example <c>data/imagenet</c>.</param>
    public static string? FindShared(string path) =>
        Existing(Path.Combine(Environment.GetEnvironmentVariable("DUNLIN_SHARED") ?? Path.Combine(Root, "..", "shared"), path))
        // A worktree lies one folder deeper.
        ?? Existing(Path.Combine(Root, "..", "..", "shared", path));

    /// <summary>Copies a folder with all that is below it, empty folders included; the target need not exist.</summary>
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

    private static string? Existing(string path) => Path.Exists(path) ? Path.GetFullPath(path) : null;

    private static string Above(string folder)
    {
        for (var at = new DirectoryInfo(folder); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "Agent.sln"))) return at.FullName;
        throw new DirectoryNotFoundException($"No Agent.sln above '{folder}'; tests run inside the repository.");
    }
}
