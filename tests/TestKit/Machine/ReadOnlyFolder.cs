using Xunit;

namespace Dunlin.TestKit.Machine;

/// <summary>A folder that takes no writes for a while: mounted over itself. Whoever uses it begins afterwards and ends before. Needs root.</summary>
public sealed class ReadOnlyFolder : IAsyncDisposable
{
    private readonly string _path;

    private ReadOnlyFolder(string path) => _path = path;

    /// <summary>Skips the test where mounting is not allowed.</summary>
    public static async Task<ReadOnlyFolder> MountAsync(string path)
    {
        if ((await Tool.RunAsync("mount", "--bind", "-o", "ro", path, path)).ExitCode != 0) Assert.Skip("mount --bind is not allowed here; run as root.");
        return new ReadOnlyFolder(path);
    }

    public async ValueTask DisposeAsync() => await Tool.SucceedAsync("umount", "-l", _path);
}
