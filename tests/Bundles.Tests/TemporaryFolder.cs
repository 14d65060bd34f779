namespace Dunlin.Bundles.Tests;

/// <summary>A folder that goes with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private const string Memory = "/dev/shm";

    /// <param name="inMemory">For tests that write durably a thousand times and are not about the disk.</param>
    public TemporaryFolder(bool inMemory = false) => Path = inMemory && Directory.Exists(Memory)
        ? Directory.CreateDirectory(System.IO.Path.Combine(Memory, $"dunlin-bundles-{Guid.NewGuid():N}")).FullName
        : Directory.CreateTempSubdirectory("dunlin-bundles-").FullName;

    public string Path { get; }

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
