using System.Diagnostics;
using Xunit;

namespace Dunlin.TestKit.Machine;

/// <summary>A small file system in memory; skips the test where mounting is not allowed.</summary>
public sealed class TinyDisk : IDisposable
{
    private TinyDisk(string path) => Path = path;

    public string Path { get; }

    public static TinyDisk Mount(int megabytes = 1)
    {
        var path = Directory.CreateTempSubdirectory("dunlin-disk-").FullName;
        if (Tool.Run("mount", "-t", "tmpfs", "-o", $"size={megabytes}m", "tmpfs", path) == 0) return new TinyDisk(path);
        Directory.Delete(path);
        Assert.Skip("mount -t tmpfs is not allowed here; run as root.");
        throw new UnreachableException();
    }

    public void Fill()
    {
        try
        {
            using var filler = new FileStream(Filler, FileMode.Append, FileAccess.Write, FileShare.None, 0);
            for (var block = new byte[512]; ;) filler.Write(block);
        }
        catch (IOException)
        {
            // Full, as wanted.
        }
    }

    public void Free() => File.Delete(Filler);

    public void Dispose()
    {
        if (Tool.Run("umount", "-l", Path) == 0) Directory.Delete(Path);
    }

    private string Filler => System.IO.Path.Combine(Path, "filler");
}
