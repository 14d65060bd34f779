namespace Dunlin.Torture.Updates;

/// <summary>An ext4 file system in a file, mounted by a loop device. Needs root.</summary>
internal sealed class LoopDisk : IDisposable
{
    private LoopDisk(string image, string folder) => (Image, Folder) = (image, folder);

    public string Image { get; }

    /// <summary>Where it is mounted.</summary>
    public string Folder { get; }

    /// <param name="image">The file; overwritten.</param>
    /// <param name="folder">Where to mount it.</param>
    /// <param name="byteCount">Its size.</param>
    public static LoopDisk Make(string image, string folder, long byteCount)
    {
        File.Delete(image);
        using (var file = File.OpenHandle(image, FileMode.CreateNew, FileAccess.Write)) RandomAccess.SetLength(file, byteCount);
        Trees.Run("mkfs.ext4", "-q", "-m", "0", image);
        return Mount(image, folder);
    }

    public static LoopDisk Mount(string image, string folder)
    {
        Directory.CreateDirectory(folder);
        Trees.Run("mount", "-o", "loop", image, folder);
        return new LoopDisk(image, folder);
    }

    /// <summary>Children of an agent that was killed may take a moment to end.</summary>
    public void Dispose() => Trees.Run("sh", "-c", "for i in $(seq 50); do umount \"$1\" 2>/dev/null && exit 0; sleep 0.1; done; umount \"$1\"", "sh", Folder);
}
