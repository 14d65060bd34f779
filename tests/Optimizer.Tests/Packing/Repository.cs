namespace Dunlin.Optimizer.Tests.Packing;

/// <summary>The working tree that the tests were built in.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    private static string Find(string folder) =>
        File.Exists(Path.Combine(folder, "Agent.sln")) ? folder : Find(Path.GetDirectoryName(folder.TrimEnd('/'))!);
}
