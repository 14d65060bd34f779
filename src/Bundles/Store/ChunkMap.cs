using System.Buffers.Binary;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Bundles.Store;

/// <summary>
/// Which chunks of a partial blob were verified: <c>partial/&lt;hash&gt;.map</c>. Layout: 8 bytes magic, 32 bytes digest,
/// u64 little-endian size, then one bit a chunk, the lowest first. The bits are a hint that survives <c>kill -9</c>: a bit is
/// written after its chunk, and each set bit's chunk is hashed again when the file is opened. So a torn or forged map costs
/// time or bytes, and never lets a wrong byte through.
/// </summary>
internal sealed class ChunkMap
{
    internal const int HeaderLength = 48;
    private static ReadOnlySpan<byte> Magic => "DUNLMAP1"u8;
    private readonly byte[] _bytes;

    private ChunkMap(byte[] bytes, int chunkCount) => (_bytes, ChunkCount) = (bytes, chunkCount);

    internal int ChunkCount { get; }

    /// <summary>Header and bits, as they stand in the file.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes;

    internal static int LengthOf(Blob blob) => HeaderLength + ((blob.Chunks.Count + 7) / 8);

    internal static ChunkMap Empty(Blob blob)
    {
        var bytes = new byte[LengthOf(blob)];
        WriteHeader(bytes, blob);
        return new ChunkMap(bytes, blob.Chunks.Count);
    }

    /// <summary>Null unless the bytes are a map of this very blob.</summary>
    internal static ChunkMap? Read(ReadOnlySpan<byte> bytes, Blob blob)
    {
        if (bytes.Length != LengthOf(blob)) return null;
        Span<byte> expected = stackalloc byte[HeaderLength];
        WriteHeader(expected, blob);
        return bytes[..HeaderLength].SequenceEqual(expected) ? new ChunkMap(bytes.ToArray(), blob.Chunks.Count) : null;
    }

    internal bool this[int chunk]
    {
        get => (_bytes[OffsetOf(chunk)] & MaskOf(chunk)) != 0;
        set => _bytes[OffsetOf(chunk)] = (byte)(value ? _bytes[OffsetOf(chunk)] | MaskOf(chunk) : _bytes[OffsetOf(chunk)] & ~MaskOf(chunk));
    }

    /// <summary>The byte of the file that holds a chunk's bit.</summary>
    internal static int OffsetOf(int chunk) => HeaderLength + (chunk / 8);

    private static int MaskOf(int chunk) => 1 << (chunk % 8);

    private static void WriteHeader(Span<byte> bytes, Blob blob)
    {
        Magic.CopyTo(bytes);
        Convert.FromHexString(blob.Digest.Hex, bytes[8..40], out _, out _);
        BinaryPrimitives.WriteInt64LittleEndian(bytes[40..], blob.Size);
    }
}
