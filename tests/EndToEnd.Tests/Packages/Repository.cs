namespace Dunlin.EndToEnd.Tests.Packages;

internal static class Repository
{
    /// <summary>The folder of the working tree.</summary>
    public static string Folder { get; } = Find();

    private static string Find()
    {
        var folder = AppContext.BaseDirectory.TrimEnd('/');
        while (!File.Exists(Path.Join(folder, "Agent.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
