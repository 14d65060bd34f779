using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;

namespace Dunlin.Bundles.Store;

/// <summary>
/// The verified blobs of a device (<c>blobs/sha256</c>, each 0444, one link, never modified), and those on their way
/// (<c>partial</c>). No partial file is reachable under a blob's name. One writer; not thread-safe.
/// </summary>
/// <param name="layout">Where they lie.</param>
/// <param name="reserveByteCount">Bytes that stay free for journal, verdicts and outbox whatever is fetched.</param>
public sealed class BlobStore(StateLayout layout, long reserveByteCount = BlobStore.StandardReserveByteCount)
{
    public const long StandardReserveByteCount = 4 * 1024 * 1024;

    /// <summary>Bytes of <c>reserve.bin</c>, freed only to finish a roll-back on a full disk.</summary>
    public const int RollbackReserveByteCount = 1024 * 1024;

    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;
    private const string PartialSuffix = ".part";
    private const string MapSuffix = ".map";

    public StateLayout Layout { get; } = layout;

    /// <summary>Bytes that this process may still write.</summary>
    public long FreeByteCount => new DriveInfo(Path.GetFullPath(Layout.Root)).AvailableFreeSpace;

    /// <summary>Whether an exception says that the disk, or this user's share of it, is full.</summary>
    public static bool IsOutOfSpace(IOException failure) => failure.HResult is NoSpace or QuotaExceeded;

    /// <summary>At start: makes the folders and removes what a power cut left unfinished and unusable.</summary>
    public void Recover()
    {
        DurableFile.CreateDirectory(Layout.Blobs);
        DurableFile.CreateDirectory(Layout.Partial);
        foreach (var stray in Directory.EnumerateFiles(Layout.Blobs).Where(f => DigestOf(Path.GetFileName(f)) is null)) File.Delete(stray);
        foreach (var stray in Directory.EnumerateFiles(Layout.Partial).Where(f => PartialDigestOf(f) is not { } d || !File.Exists(Layout.PartialBlob(d)))) File.Delete(stray);
    }

    /// <summary>Whether a file of the right name, kind and size is there; its content is not read.</summary>
    public bool Has(Blob blob)
    {
        var path = Layout.Blob(blob.Digest);
        var (result, handle) = NativeFile.OpenForReading(path);
        if (result != NativeFile.OpenResult.Opened || handle is null) return false;
        using (handle) return RandomAccess.GetLength(handle) == blob.Size && NativeFile.LinkCount(handle, path) == 1;
    }

    /// <summary>Whether the blob is there and every byte of it right: reads all of it. What the disk does not give back is not whole.</summary>
    public bool IsWhole(Blob blob)
    {
        try
        {
            if (!Has(blob)) return false;
            BlobFile.Verify(Layout.Blob(blob.Digest), blob);
            return true;
        }
        catch (Exception e) when (e is BundleException or IOException)
        {
            return false;
        }
    }

    /// <summary>Opens a blob's partial file, with what an earlier start has verified, or makes one of the blob's exact length.</summary>
    /// <exception cref="IOException">The disk failed or is full (<see cref="IsOutOfSpace"/>); nothing is left behind.</exception>
    public PartialBlob OpenPartial(Blob blob)
    {
        DurableFile.CreateDirectory(Layout.Partial);
        return PartialBlob.Open(this, blob);
    }

    /// <summary>Bytes of disk that fetching these blobs will take; what is stored or preallocated takes none.</summary>
    public long MissingByteCount(IEnumerable<Blob> blobs) => blobs.DistinctBy(b => b.Digest)
        .Where(b => !Has(b) && !(new FileInfo(Layout.PartialBlob(b.Digest)) is { Exists: true } partial && partial.Length == b.Size))
        .Sum(b => b.Size + ChunkMap.LengthOf(b));

    /// <summary>Bytes that must be freed before these blobs can be fetched; 0 if they fit.</summary>
    public long LackingByteCount(IEnumerable<Blob> blobs) => MissingByteCount(blobs) is var missing and > 0
        ? Math.Max(0, missing + reserveByteCount - FreeByteCount)
        : 0;

    /// <summary>All verified blobs, for the collector of garbage.</summary>
    public IReadOnlyList<Digest> List() => !Directory.Exists(Layout.Blobs) ? [] :
        [.. Directory.EnumerateFiles(Layout.Blobs).Select(file => DigestOf(Path.GetFileName(file))).OfType<Digest>()];

    /// <summary>All blobs on their way.</summary>
    public IReadOnlyList<Digest> ListPartial() => !Directory.Exists(Layout.Partial) ? [] :
        [.. Directory.EnumerateFiles(Layout.Partial, "*" + PartialSuffix).Select(PartialDigestOf).OfType<Digest>()];

    /// <summary>Removes a blob so that it stays away; absent already is no error.</summary>
    public void Delete(Digest digest) => DurableFile.Delete(Layout.Blob(digest));

    public void DropPartial(Digest digest)
    {
        if (!Directory.Exists(Layout.Partial)) return;
        File.Delete(Layout.PartialBlob(digest));
        File.Delete(Layout.PartialMap(digest));
        DurableFile.SyncDirectory(Layout.Partial);
    }

    /// <summary>Makes <c>reserve.bin</c> if it is not there; false if there is no room for it now.</summary>
    public bool MakeReserve()
    {
        if (File.Exists(Layout.Reserve) && new FileInfo(Layout.Reserve).Length == RollbackReserveByteCount) return true;
        File.Delete(Layout.Reserve);
        DurableFile.CreateDirectory(Layout.Root);
        try
        {
            using (var file = NativeFile.CreateNew(Layout.Reserve))
            {
                NativeFile.Allocate(file, RollbackReserveByteCount, Layout.Reserve);
                DurableFile.Sync(file, Layout.Reserve);
            }
            DurableFile.SyncDirectory(Layout.Root);
            return true;
        }
        catch (IOException e) when (IsOutOfSpace(e))
        {
            File.Delete(Layout.Reserve);
            return false;
        }
    }

    /// <summary>Frees <c>reserve.bin</c>: room to finish a roll-back.</summary>
    public void FreeReserve() => DurableFile.Delete(Layout.Reserve);

    /// <summary>Gives a finished and synced partial file its name among the blobs.</summary>
    internal void Take(Blob blob)
    {
        DurableFile.CreateDirectory(Layout.Blobs);
        var path = Layout.Blob(blob.Digest);
        try
        {
            DurableFile.Commit(Layout.PartialBlob(blob.Digest), path);
        }
        catch (IOException)
        {
            File.Delete(path);
            throw;
        }
        File.Delete(Layout.PartialMap(blob.Digest));
        DurableFile.SyncDirectory(Layout.Partial);
    }

    private static Digest? DigestOf(string name) => Digest.TryParse("sha256:" + name, out var digest) ? digest : null;

    private static Digest? PartialDigestOf(string path) =>
        Path.GetExtension(path) is PartialSuffix or MapSuffix ? DigestOf(Path.GetFileNameWithoutExtension(path)) : null;
}
