using System.Buffers;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts.Artifacts;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Bundles.Store;

/// <summary>
/// A blob on its way: its file has the final length from the start, and only chunks whose digest is right are written.
/// Disposing keeps what is there for the next start. One user at a time; not thread-safe.
/// </summary>
public sealed class PartialBlob : IDisposable
{
    private readonly BlobStore _store;
    private readonly SafeFileHandle _file;
    private readonly SafeFileHandle _mapFile;
    private readonly ChunkMap _map;
    private readonly BlobFileWriter _writer;
    private readonly WholeHash _whole;
    private int _missing;

    private PartialBlob(BlobStore store, Blob blob, SafeFileHandle file, SafeFileHandle mapFile, ChunkMap map)
    {
        (_store, Blob, _file, _mapFile, _map) = (store, blob, file, mapFile, map);
        _writer = new BlobFileWriter(file, Path);
        _whole = new WholeHash(blob);
        _missing = blob.Chunks.Count;
        VerifyMarked();
    }

    public Blob Blob { get; }

    /// <summary>Bytes of the chunks that are there.</summary>
    public long VerifiedByteCount { get; private set; }

    public bool IsComplete => _missing == 0;

    private string Path => _store.Layout.PartialBlob(Blob.Digest);

    public bool Has(int chunk) => _map[chunk];

    /// <summary>The first run of missing chunks at or after <paramref name="from"/>; a count of 0 if there is none.</summary>
    public (int First, int Count) NextMissing(int from = 0)
    {
        var first = from;
        while (first < _map.ChunkCount && _map[first]) first++;
        var end = first;
        while (end < _map.ChunkCount && !_map[end]) end++;
        return (first, end - first);
    }

    /// <summary>Whether the bytes are this chunk. From any thread.</summary>
    public bool IsChunk(int chunk, ReadOnlySpan<byte> content) => content.Length == Blob.ChunkLength(chunk) && Digest.Of(content) == Blob.Chunks[chunk];

    /// <summary>Writes chunks that follow each other and that <see cref="IsChunk"/> says yes to; several such writes may run at once.</summary>
    /// <returns>Ends when the disk has them: then <see cref="Mark(int, int)"/> them.</returns>
    /// <exception cref="IOException">The disk failed.</exception>
    public Task WriteAsync(int first, ReadOnlyMemory<byte> content) => Task.Run(() => _writer.Write(content.Span, (long)first * Blob.ChunkSize));

    /// <summary>
    /// Moves the complete file among the blobs: digest of the whole, mode 0444, one link, synced. False if the digest
    /// differs although every chunk was right: the manifest contradicts itself, and the file is gone.
    /// </summary>
    /// <exception cref="IOException">The disk failed; the file is gone, fetch it again.</exception>
    public bool TryFinish()
    {
        if (!IsComplete) throw new InvalidOperationException($"Blob {Blob.Digest} lacks {_missing} chunks; fetch them before it is finished.");
        try
        {
            if (_whole.Finish(_file) != Blob.Digest)
            {
                Drop();
                return false;
            }
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_file, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            DurableFile.Sync(_file, Path);
            if (NativeFile.LinkCount(_file, Path) != 1) throw new IOException($"'{Path}' got a second name while it was written; fetch it again.");
            _store.Take(Blob);
        }
        catch (IOException)
        {
            Drop();
            throw;
        }
        Dispose();
        return true;
    }

    /// <summary>Throws everything away.</summary>
    public void Drop()
    {
        Dispose();
        _store.DropPartial(Blob.Digest);
    }

    public void Dispose()
    {
        _whole.Dispose();
        _writer.Dispose();
        _mapFile.Dispose();
        _file.Dispose();
    }

    /// <summary>Opens what an earlier start left, or begins anew.</summary>
    internal static PartialBlob Open(BlobStore store, Blob blob)
    {
        var path = store.Layout.PartialBlob(blob.Digest);
        var mapPath = store.Layout.PartialMap(blob.Digest);
        var file = NativeFile.OpenForWriting(path);
        if (file is not null && (RandomAccess.GetLength(file) != blob.Size || NativeFile.LinkCount(file, path) != 1))
        {
            file.Dispose();
            file = null;
        }
        SafeFileHandle? mapFile = null;
        try
        {
            var map = file is null ? null : ReadMap(mapPath, blob, out mapFile);
            if (file is not null && map is not null && mapFile is not null) return new PartialBlob(store, blob, file, mapFile, map);
            file?.Dispose();
            store.DropPartial(blob.Digest);
            file = NativeFile.CreateNew(path);
            NativeFile.Allocate(file, blob.Size, path);
            map = ChunkMap.Empty(blob);
            mapFile = NativeFile.CreateNew(mapPath);
            RandomAccess.Write(mapFile, map.Bytes, 0);
            DurableFile.Sync(file, path);
            DurableFile.Sync(mapFile, mapPath);
            DurableFile.SyncDirectory(store.Layout.Partial);
            return new PartialBlob(store, blob, file, mapFile, map);
        }
        catch
        {
            mapFile?.Dispose();
            file?.Dispose();
            store.DropPartial(blob.Digest);
            throw;
        }
    }

    private static ChunkMap? ReadMap(string path, Blob blob, out SafeFileHandle? file)
    {
        file = NativeFile.OpenForWriting(path);
        if (file is null) return null;
        var length = ChunkMap.LengthOf(blob);
        var bytes = new byte[length];
        if (RandomAccess.GetLength(file) == length && RandomAccess.Read(file, bytes, 0) == length && ChunkMap.Read(bytes, blob) is { } map) return map;
        file.Dispose();
        file = null;
        return null;
    }

    private void VerifyMarked()
    {
        var buffer = ArrayPool<byte>.Shared.Rent(Blob.ChunkSize);
        try
        {
            for (var chunk = 0; chunk < _map.ChunkCount; chunk++)
            {
                if (!_map[chunk]) continue;
                var content = buffer.AsSpan(0, Blob.ChunkLength(chunk));
                if (ReadWhole(_file, content, (long)chunk * Blob.ChunkSize) && Digest.Of(content) == Blob.Chunks[chunk])
                {
                    Mark(chunk);
                    _whole.Append(chunk, content);
                }
                else
                {
                    _map[chunk] = false;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    internal static bool ReadWhole(SafeFileHandle file, Span<byte> content, long offset)
    {
        while (content.Length > 0)
        {
            var count = RandomAccess.Read(file, content, offset);
            if (count == 0) return false;
            content = content[count..];
            offset += count;
        }
        return true;
    }

    /// <summary>Hashes chunks that follow each other for the whole, beside their writing.</summary>
    public void Append(int first, int count, ReadOnlySpan<byte> content)
    {
        for (var chunk = first; chunk < first + count; chunk++)
        {
            _whole.Append(chunk, content[..Blob.ChunkLength(chunk)]);
            content = content[Blob.ChunkLength(chunk)..];
        }
    }

    /// <summary>Chunks are there, written and hashed; a kill before this costs their bytes and nothing else.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public void Mark(int first, int count)
    {
        for (var chunk = first; chunk < first + count; chunk++)
            if (!_map[chunk]) Mark(chunk);
        var (from, to) = (ChunkMap.OffsetOf(first), ChunkMap.OffsetOf(first + count - 1));
        RandomAccess.Write(_mapFile, _map.Bytes[from..(to + 1)], from);
    }

    private void Mark(int chunk)
    {
        _map[chunk] = true;
        _missing--;
        VerifiedByteCount += Blob.ChunkLength(chunk);
    }
}
