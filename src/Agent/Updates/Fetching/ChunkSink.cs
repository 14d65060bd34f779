using Dunlin.Bundles.Store;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Takes the chunks of one request, verifies and writes them, and counts what came.</summary>
internal sealed class ChunkSink(PartialBlob partial, FetchLimits limits, Action<int> received, Action stored)
{
    private readonly int[] _wrongDeliveries = new int[partial.Blob.Chunks.Count];
    private ThroughputGuard? _guard;
    private int _badInARow;

    /// <summary>Chunks of this blob that came wrong, over all sources.</summary>
    public int BadCount { get; private set; }

    public int GoodCount { get; private set; }

    /// <summary>The chunk that came wrong too often, null while there is none.</summary>
    public int? HopelessChunk { get; private set; }

    /// <summary>Whether the request should end now.</summary>
    public bool IsEnough => _badInARow >= limits.MaximumBadChunksInARow || HopelessChunk is not null;

    public bool Has(int chunk) => partial.Has(chunk);

    /// <summary>Counts bytes at once, so that slowness shows within a chunk.</summary>
    public void Received(int byteCount)
    {
        _guard?.Count(byteCount);
        received(byteCount);
    }

    public void BeginRequest(ThroughputGuard guard) => (_guard, _badInARow) = (guard, 0);

    /// <summary>Verifies and writes; false if the bytes are not this chunk.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public bool Take(int chunk, ReadOnlySpan<byte> content)
    {
        if (partial.Has(chunk)) return true;
        if (partial.TryWriteChunk(chunk, content))
        {
            _badInARow = 0;
            GoodCount++;
            stored();
            return true;
        }

        BadCount++;
        _badInARow++;
        if (++_wrongDeliveries[chunk] >= limits.MaximumDeliveriesOfAChunk) HopelessChunk = chunk;
        return false;
    }
}
