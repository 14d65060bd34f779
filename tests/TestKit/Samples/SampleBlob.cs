using Dunlin.Contracts.Artifacts;

namespace Dunlin.TestKit.Samples;

/// <summary>Bytes of no meaning, the same for the same seed, with their description.</summary>
public sealed class SampleBlob
{
    public SampleBlob(int size, int seed = 1)
    {
        Content = new byte[size];
        new Random(seed).NextBytes(Content);
        Blob = new Blob
        {
            Digest = Digest.Of(Content), Size = size, ChunkSize = Blob.StandardChunkSize, Chunks = [.. Content.Chunk(Blob.StandardChunkSize).Select(chunk => Digest.Of(chunk))],
        };
    }

    public byte[] Content { get; }

    public Blob Blob { get; }

    /// <summary>The name of its file.</summary>
    public string Hex => Blob.Digest.Hex;

    public ReadOnlySpan<byte> Chunk(int index) => Content.AsSpan(index * Blob.StandardChunkSize, Blob.ChunkLength(index));
}
