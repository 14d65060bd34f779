using System.Security.Cryptography;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Serving;

/// <summary>
/// The saved models, <c>cache/&lt;key&gt;/</c> with exactly two files each, and their hashes beside them in
/// <c>cache/&lt;key&gt;.sha256</c>: taken after the heat that made them has ended, compared before every load.
/// All of it may be deleted at any time.
/// </summary>
internal sealed class ModelCache(string root)
{
    private const string NewPrefix = "new-";

    public string Root => root;

    /// <summary>Creates the folder, and removes what an interrupted heat left.</summary>
    public void Recover()
    {
        Directory.CreateDirectory(root);
        foreach (var left in Directory.EnumerateDirectories(root, NewPrefix + "*")) Directory.Delete(left, recursive: true);
    }

    /// <summary>The spec that loads the saved form, or null if there is none whose hashes hold.</summary>
    public SessionSpec? Find(Digest key, SessionSpec spec)
    {
        var folder = FolderOf(key);
        var hashes = HashesOf(key);
        try
        {
            if (!Directory.Exists(folder) || !File.Exists(hashes) || File.ReadAllText(hashes) != Hash(folder)) return null;
        }
        catch (IOException)
        {
            return null;
        }

        return spec with { ModelPath = SavedModel.GraphPath(folder), Saved = true };
    }

    /// <summary>An empty folder for a heat to write into.</summary>
    public string Begin()
    {
        var folder = Path.Combine(root, NewPrefix + Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(folder);
        return folder;
    }

    /// <summary>Takes over what a heat, now ended, has written.</summary>
    /// <exception cref="InvalidDataException">It is not exactly the two files of a saved model.</exception>
    public SessionSpec Commit(Digest key, string begun, SessionSpec spec)
    {
        var expected = SavedModel.Files(begun).Order().ToList();
        if (!Directory.EnumerateFileSystemEntries(begun).Order().SequenceEqual(expected) || expected.Any(IsNoRegularFile))
            throw new InvalidDataException($"The heat left something else than {SavedModel.GraphFile} and {SavedModel.WeightsFile}.");

        Remove(key);
        var folder = FolderOf(key);
        Directory.Move(begun, folder);
        File.WriteAllText(HashesOf(key), Hash(folder));
        return spec with { ModelPath = SavedModel.GraphPath(folder), Saved = true };
    }

    /// <summary>Removes what was begun and not committed. What a read-only disk keeps goes with the next start.</summary>
    public static void Abandon(string begun)
    {
        try
        {
            if (Directory.Exists(begun)) Directory.Delete(begun, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The failure before this one is what is told.
        }
    }

    /// <summary>Removes every saved model that is not among these.</summary>
    public void KeepOnly(IReadOnlySet<Digest> keys)
    {
        if (!Directory.Exists(root)) return;
        var kept = keys.Select(key => key.Hex).ToHashSet();
        foreach (var folder in Directory.EnumerateDirectories(root))
            if (!kept.Contains(Path.GetFileName(folder)) && Digest.TryParse("sha256:" + Path.GetFileName(folder), out var key)) Remove(key);
    }

    private void Remove(Digest key)
    {
        File.Delete(HashesOf(key));
        if (Directory.Exists(FolderOf(key))) Directory.Delete(FolderOf(key), recursive: true);
    }

    private string FolderOf(Digest key) => Path.Combine(root, key.Hex);

    private string HashesOf(Digest key) => Path.Combine(root, key.Hex + ".sha256");

    private static bool IsNoRegularFile(string path) => File.ResolveLinkTarget(path, false) is not null || Directory.Exists(path);

    private static string Hash(string folder) => string.Concat(SavedModel.Files(folder).Select(path =>
    {
        using var file = File.OpenRead(path);
        return $"{Convert.ToHexStringLower(SHA256.HashData(file))}  {Path.GetFileName(path)}\n";
    }));
}
