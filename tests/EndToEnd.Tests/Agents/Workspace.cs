namespace Dunlin.EndToEnd.Tests.Agents;

/// <summary>A temporary folder of a test.</summary>
internal sealed class Workspace : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("dunlin-e2e-").FullName;

    public string At(string name) => Path.Combine(Root, name);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
