namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Chunks that follow each other, in the blob and in the places of memory that they are in or will come into.</summary>
/// <param name="Chunk">The first.</param>
/// <param name="Place">Of the first.</param>
/// <param name="Count">Of both.</param>
internal readonly record struct ChunkRun(int Chunk, int Place, int Count)
{
    /// <summary>So many of its beginning.</summary>
    public ChunkRun First(int count) => this with { Count = count };

    /// <summary>What is left without so many of its beginning.</summary>
    public ChunkRun After(int count) => new(Chunk + count, Place + count, Count - count);
}
