using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>A place that artifacts come from. One request at a time.</summary>
internal interface IChunkSource : IDisposable
{
    /// <summary>For people: kind and host, never credentials.</summary>
    string Name { get; }

    /// <summary>Brings a run of chunks to the sink, stopping when the sink says so.</summary>
    /// <returns>How it ended; network, peer and protocol never come out as exceptions, the disk's do.</returns>
    Task<SourceEnd> ReadAsync(Blob blob, int firstChunk, int chunkCount, ChunkSink sink, CancellationToken cancellationToken);
}
