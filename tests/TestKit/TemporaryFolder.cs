namespace Dunlin.TestKit;

/// <summary>A folder that goes with the test.</summary>
public sealed class TemporaryFolder : IDisposable
{
    private const string Memory = "/dev/shm";

    /// <param name="inMemory">For tests that write durably a thousand times and are not about the disk.</param>
    public TemporaryFolder(bool inMemory = false) => Path = inMemory && Directory.Exists(Memory)
        ? Directory.CreateDirectory(System.IO.Path.Combine(Memory, $"dunlin-test-{Guid.NewGuid():N}")).FullName
        : Directory.CreateTempSubdirectory("dunlin-test-").FullName;

    public string Path { get; }

    /// <summary>The path of what need not be there.</summary>
    public string this[string name] => System.IO.Path.Combine(Path, name);

    /// <summary>Makes a folder within.</summary>
    public string Sub(string name) => Directory.CreateDirectory(this[name]).FullName;

    /// <summary>Writes a file.</summary>
    public string File(string name, byte[] content)
    {
        System.IO.File.WriteAllBytes(this[name], content);
        return this[name];
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
