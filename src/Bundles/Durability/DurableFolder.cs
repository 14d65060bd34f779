namespace Dunlin.Bundles.Durability;

/// <summary>Folders that come to be whole or not at all, and stay after a power cut.</summary>
public static class DurableFolder
{
    /// <param name="path">Is not there, or empty.</param>
    /// <param name="fill">Fills the folder that it is given, which then takes the name, and syncs the folders within.</param>
    /// <exception cref="IOException">It could not be filled or made durable; nothing is left of it.</exception>
    public static void Write(string path, Action<string> fill)
    {
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        var parent = Path.GetDirectoryName(path) ?? throw new IOException($"'{path}' has no folder to stand in.");
        Directory.CreateDirectory(parent);
        var temporary = Path.Combine(parent, $".{Path.GetFileName(path)}.{Guid.NewGuid():N}{DurableFile.TemporarySuffix}");
        try
        {
            Directory.CreateDirectory(temporary);
            fill(temporary);
            DurableFile.SyncDirectory(temporary);
            if (Directory.Exists(path)) Directory.Delete(path);
            Directory.Move(temporary, path);
            DurableFile.SyncDirectory(parent);
        }
        finally
        {
            if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
        }
    }
}
