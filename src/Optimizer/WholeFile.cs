using Dunlin.Bundles.Durability;

namespace Dunlin.Optimizer;

/// <summary>
/// Files of any size that are written whole or not at all, and are on the disk then: what a study has recorded as done must be there after a
/// power cut too.
/// </summary>
internal static class WholeFile
{
    private const int BufferByteCount = 1 << 16;

    /// <param name="path">In a folder that is there. What a kill leaves stands beside it, and is overwritten the next time.</param>
    /// <param name="write">Writes the content, piece by piece.</param>
    /// <param name="overwrite">Whether it may replace a file.</param>
    /// <exception cref="IOException">It could not be written, or made durable; what was there stands.</exception>
    public static void Write(string path, Action<Stream> write, bool overwrite = true)
    {
        path = Path.GetFullPath(path);
        var temporary = path + DurableFile.TemporarySuffix;
        try
        {
            using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None, BufferByteCount))
            {
                write(file);
                file.Flush();
                DurableFile.Sync(file.SafeFileHandle, temporary);
            }

            File.Move(temporary, path, overwrite);
            DurableFile.SyncDirectory(Path.GetDirectoryName(path)!);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }
    }
}
