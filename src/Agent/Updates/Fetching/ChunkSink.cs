using Dunlin.Bundles.Store;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Takes the chunks of one request, verifies and writes them, and counts what came.</summary>
internal sealed class ChunkSink(PartialBlob partial, FetchLimits limits, Action<int> received, Action stored)
{
    private readonly int[] _wrongDeliveries = new int[partial.Blob.Chunks.Count];
    private ThroughputGuard? _guard;
    private int _badInARow;
    private volatile bool _isEnough;

    /// <summary>Chunks of this blob that came wrong, over all sources.</summary>
    public int BadCount { get; private set; }

    public int GoodCount { get; private set; }

    /// <summary>The chunk that came wrong too often, null while there is none.</summary>
    public int? HopelessChunk { get; private set; }

    /// <summary>Whether the request should end now; from any thread.</summary>
    public bool IsEnough => _isEnough;

    public bool Has(int chunk) => partial.Has(chunk);

    /// <summary>Bytes of chunks of this blob.</summary>
    public int LengthOf(ChunkRun run) => run.Count == 0 ? 0 : ((run.Count - 1) * partial.Blob.ChunkSize) + partial.Blob.ChunkLength(run.Chunk + run.Count - 1);

    /// <summary>Counts bytes at once, so that slowness shows within a chunk.</summary>
    public void Received(int byteCount)
    {
        _guard?.Count(byteCount);
        received(byteCount);
    }

    public void BeginRequest(ThroughputGuard guard) => (_guard, _badInARow, _isEnough) = (guard, 0, HopelessChunk is not null);

    /// <summary>Verifies and writes, unless the chunk is there.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public async Task TakeAsync(int chunk, ReadOnlyMemory<byte> content)
    {
        if (partial.Has(chunk) || !Judge(chunk, content.Span)) return;
        var run = new ChunkRun(chunk, 0, 1);
        await BeginStore(run, content);
        EndStore(run);
    }

    /// <summary>Begins to write chunks that follow each other and were judged right; may run beside <see cref="Judge"/>.</summary>
    /// <returns>Ends when they are written: then comes <see cref="EndStore"/>, in the order of the beginnings.</returns>
    /// <exception cref="IOException">The disk failed.</exception>
    public Task BeginStore(ChunkRun run, ReadOnlyMemory<byte> content)
    {
        var writing = partial.WriteAsync(run.Chunk, content);
        partial.Append(run.Chunk, run.Count, content.Span);
        return writing;
    }

    /// <exception cref="IOException">The disk failed.</exception>
    public void EndStore(ChunkRun run)
    {
        partial.Mark(run.Chunk, run.Count);
        GoodCount += run.Count;
        stored();
    }

    /// <summary>Whether the bytes are this chunk; counts what is wrong.</summary>
    public bool Judge(int chunk, ReadOnlySpan<byte> content)
    {
        if (partial.IsChunk(chunk, content))
        {
            _badInARow = 0;
            return true;
        }

        BadCount++;
        _badInARow++;
        if (++_wrongDeliveries[chunk] >= limits.MaximumDeliveriesOfAChunk) HopelessChunk = chunk;
        _isEnough |= _badInARow >= limits.MaximumBadChunksInARow || HopelessChunk is not null;
        return false;
    }
}
