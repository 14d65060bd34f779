using System.Runtime.InteropServices;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Bundles.Store;

/// <summary>Places for chunks, one behind the other and aligned so that a run of them can be written in one go past the page cache.</summary>
public sealed class ChunkBuffers
{
    private readonly Memory<byte> _memory;

    /// <param name="count">Chunks that fit.</param>
    public unsafe ChunkBuffers(int count)
    {
        var block = GC.AllocateUninitializedArray<byte>((count * Blob.StandardChunkSize) + BlobFileWriter.Alignment, pinned: true);
        var past = (int)((nuint)Marshal.UnsafeAddrOfPinnedArrayElement(block, 0) % BlobFileWriter.Alignment);
        (Count, _memory) = (count, block.AsMemory(past == 0 ? 0 : BlobFileWriter.Alignment - past, count * Blob.StandardChunkSize));
    }

    public int Count { get; }

    /// <summary>The place of one chunk, or of some that follow each other.</summary>
    public Memory<byte> At(int place, int length = Blob.StandardChunkSize) => _memory.Slice(place * Blob.StandardChunkSize, length);
}
