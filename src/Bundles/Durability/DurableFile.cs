using Microsoft.Win32.SafeHandles;

namespace Dunlin.Bundles.Durability;

/// <summary>
/// Files that survive a power cut: temporary file, fsync, rename, fsync of the folder. The syncs go to libc because
/// .NET 10 swallows their errors on Linux. After an error the data is lost: the old file still stands; write anew from
/// the source, never sync again (PostgreSQL's "fsyncgate", 2018).
/// </summary>
public static class DurableFile
{
    /// <summary>The suffix of unfinished files; whoever owns a folder removes them at start.</summary>
    public const string TemporarySuffix = ".tmp";

    private const int BufferByteCount = 1 << 16;

    /// <summary>Replaces or creates the file; afterwards it holds the old content or the new one, whatever happens. Any number may write it at once.</summary>
    /// <param name="path">In a folder that is there.</param>
    /// <param name="content">All of it.</param>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <exception cref="IOException">It could not be made durable, or may not be replaced; what was there stands.</exception>
    public static void Write(string path, ReadOnlySpan<byte> content, bool overwrite = true) => Write(TemporaryOf(path), path, content, static (bytes, file) => file.Write(bytes), overwrite);

    /// <summary>The same piece by piece, for a folder that nobody sweeps: what a kill leaves has one name, and is overwritten the next time.</summary>
    /// <param name="path">In a folder that is there; no two may write it at once.</param>
    /// <param name="write">Writes the content.</param>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <exception cref="IOException">It could not be made durable, or may not be replaced; what was there stands.</exception>
    public static void Write(string path, Action<Stream> write, bool overwrite = true) =>
        Write(Path.GetFullPath(path) + TemporarySuffix, path, write, static (pieces, file) => pieces(file), overwrite);

    /// <summary>Copies a file durably to a name that need not exist.</summary>
    public static void Copy(string source, string path)
    {
        using var from = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        Write(TemporaryOf(path), path, from, static (content, file) => content.CopyTo(file, 2 * BufferByteCount), overwrite: true);
    }

    /// <summary>Renames a finished and synced file into place, and syncs the folder.</summary>
    public static void Commit(string temporary, string path, bool overwrite = true)
    {
        File.Move(temporary, path, overwrite);
        SyncDirectory(FolderOf(path));
    }

    /// <summary>Points a symbolic link elsewhere in one step: <c>active</c> and <c>last-good</c> always name something.</summary>
    /// <param name="path">The link.</param>
    /// <param name="target">Its text, relative to its folder.</param>
    public static void Link(string path, string target)
    {
        var temporary = TemporaryOf(path);
        try
        {
            File.CreateSymbolicLink(temporary, target);
            NativeFile.Rename(temporary, path);
            SyncDirectory(FolderOf(path));
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    /// <summary>Removes a file so that it stays away; absent already is no error.</summary>
    public static void Delete(string path)
    {
        if (!Directory.Exists(FolderOf(path))) return;
        File.Delete(path);
        SyncDirectory(FolderOf(path));
    }

    /// <summary>Creates a folder and its missing parents, each with mode 0700, and syncs every parent that got an entry.</summary>
    public static void CreateDirectory(string path)
    {
        var full = Path.GetFullPath(path);
        if (OperatingSystem.IsWindows()) throw new PlatformNotSupportedException("Dunlin's durable files need Linux.");
        if (Directory.Exists(full)) return;
        var parent = FolderOf(full);
        CreateDirectory(parent);
        Directory.CreateDirectory(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        SyncDirectory(parent);
    }

    /// <summary>Makes an open file's bytes durable.</summary>
    /// <exception cref="IOException">The bytes are lost.</exception>
    public static void Sync(SafeFileHandle handle, string path) => NativeFile.Sync(handle, path);

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncDirectory(string path) => NativeFile.SyncDirectory(path);

    private static void Write<T>(string temporary, string path, T content, Action<T, Stream> write, bool overwrite)
        where T : allows ref struct
    {
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, BufferByteCount))
            {
                write(content, file);
                file.Flush();
                NativeFile.Sync(file.SafeFileHandle, temporary);
            }

            Commit(temporary, path, overwrite);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }

    private static string TemporaryOf(string path) =>
        Path.Combine(FolderOf(path), $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{TemporarySuffix}");

    private static string FolderOf(string path) =>
        Path.GetDirectoryName(Path.GetFullPath(path)) ?? throw new IOException($"'{path}' has no folder to stand in.");
}
