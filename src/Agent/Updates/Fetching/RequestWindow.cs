using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// How much is asked for through the broker at a time: it grows while answers come fast and shrinks where they do not. Pings and
/// acknowledgements wait behind the answers, so that what a slow link cannot bring soon would end the connection.
/// </summary>
internal sealed class RequestWindow(FetchLimits limits)
{
    /// <summary>Four seconds of the least throughput.</summary>
    private const int LeastByteCount = 4096;

    private int _byteCount = LeastByteCount;

    /// <summary>Bytes of one request, at most.</summary>
    public int PieceLength => Math.Min(_byteCount, Blob.StandardChunkSize);

    /// <summary>Requests under way, at most.</summary>
    public int RequestCount => Math.Max(1, _byteCount / Blob.StandardChunkSize);

    /// <summary>An answer has come. Twice as much then takes half of the patience at most.</summary>
    public void Adapt(TimeSpan took)
    {
        if (took < limits.ChunkTimeout / 4) _byteCount = Math.Min(2 * _byteCount, limits.OutstandingChunks * Blob.StandardChunkSize);
        else if (took > limits.ChunkTimeout / 2) Shrink();
    }

    public void Shrink() => _byteCount = Math.Max(_byteCount / 2, LeastByteCount);
}
