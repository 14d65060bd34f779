namespace Dunlin.Fleet.Signing;

/// <summary>Files that are their owner's alone from their first byte on (mode 0600).</summary>
internal static class OwnerFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <exception cref="IOException">The file exists already.</exception>
    public static void Create(string path, string content)
    {
        if (OperatingSystem.IsWindows()) throw new IOException("A key's file must be its owner's alone, which is done here by Unix modes; make keys on Linux.");
        using var file = new FileStream(path, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly });
        using var writer = new StreamWriter(file, leaveOpen: true);
        writer.Write(content);
        writer.Flush();
        file.Flush(flushToDisk: true);
    }
}
