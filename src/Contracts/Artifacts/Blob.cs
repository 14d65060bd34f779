namespace Dunlin.Contracts.Artifacts;

/// <summary>One content-addressed file of a bundle, with a digest per chunk so that a corrupt chunk costs one chunk.</summary>
public sealed record Blob
{
    /// <summary>Every chunk but the last has this many bytes.</summary>
    public const int StandardChunkSize = 65536;

    public required Digest Digest { get; init; }

    /// <summary>Bytes.</summary>
    public required long Size { get; init; }

    /// <summary>Bytes; always <see cref="StandardChunkSize"/>.</summary>
    public required int ChunkSize { get; init; }

    /// <summary>Digests of the consecutive chunks; ⌈size / chunkSize⌉ of them.</summary>
    public required IReadOnlyList<Digest> Chunks { get; init; }

    /// <summary>⌈size / <see cref="StandardChunkSize"/>⌉, 0 for an impossible size.</summary>
    public static long CountChunks(long size) => size <= 0 ? 0 : ((size - 1) / StandardChunkSize) + 1;

    /// <summary>Bytes of chunk <paramref name="index"/>.</summary>
    public int ChunkLength(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Chunks.Count);
        return (int)Math.Min(ChunkSize, Size - ((long)index * ChunkSize));
    }
}
