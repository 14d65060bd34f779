using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Bundles.Tests.Store;

/// <summary>Bytes of no meaning, the same for the same seed, with their description.</summary>
internal sealed class RandomBlob
{
    internal RandomBlob(int size, int seed = 1)
    {
        Content = new byte[size];
        new Random(seed).NextBytes(Content);
        Blob = BlobFile.Describe(Content);
    }

    internal byte[] Content { get; }

    internal Blob Blob { get; }

    internal ReadOnlySpan<byte> Chunk(int index) => Content.AsSpan(index * Blob.StandardChunkSize, Blob.ChunkLength(index));
}
