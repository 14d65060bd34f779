using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Chunks through the broker, in pieces and a few at a time, as the link bears; a piece that is not answered is asked for again.</summary>
internal sealed class MqttChunkSource(BlobChannel channel, FetchLimits limits, TimeProvider time) : IChunkSource
{
    private const int MaximumSilencesInARow = 3;
    private readonly RequestWindow _window = new(limits);
    private readonly byte[][] _buffers = [.. Enumerable.Range(0, limits.OutstandingChunks).Select(_ => new byte[Blob.StandardChunkSize])];

    public string Name => "MQTT";

    /// <summary>A chunk of which so many bytes have come.</summary>
    private readonly record struct Part(int Chunk, int Slot, int Filled);

    private readonly record struct Reply(BlobAnswer Answer, Part Part, int Length, TimeSpan Took);

    public async Task<SourceEnd> ReadAsync(Blob blob, int firstChunk, int chunkCount, ChunkSink sink, CancellationToken cancellationToken)
    {
        if (!await channel.IsConnectedWithinAsync(limits.ChunkTimeout, time, cancellationToken)) return NoLink();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var asked = new List<Task<Reply>>();
        try
        {
            return await ReadAsync(blob, firstChunk, firstChunk + chunkCount, sink, asked, stop.Token);
        }
        finally
        {
            await stop.CancelAsync();
            // Their buffers are used again only when they have ended.
            await ((Task)Task.WhenAll(asked)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    public void Dispose()
    {
        // Nothing is held between requests.
    }

    private async Task<SourceEnd> ReadAsync(Blob blob, int first, int end, ChunkSink sink, List<Task<Reply>> asked, CancellationToken cancellationToken)
    {
        var free = new Stack<int>(Enumerable.Range(0, _buffers.Length));
        var begun = new Queue<Part>();
        var silences = 0;
        for (var next = first; ;)
        {
            while (asked.Count < _window.RequestCount && (begun.Count > 0 || next < end))
            {
                if (begun.TryDequeue(out var part)) asked.Add(AskAsync(blob, part, cancellationToken));
                else if (sink.Has(next)) next++;
                else asked.Add(AskAsync(blob, new Part(next++, free.Pop(), 0), cancellationToken));
            }
            if (asked.Count == 0) return SourceEnd.Complete;
            var done = await Task.WhenAny(asked);
            asked.Remove(done);
            var reply = await done;
            if (reply.Answer == BlobAnswer.Arrived) _window.Adapt(reply.Took);
            else _window.Shrink();
            switch (reply.Answer)
            {
                case BlobAnswer.Arrived:
                    silences = 0;
                    sink.Received(reply.Length);
                    var arrived = reply.Part with { Filled = reply.Part.Filled + reply.Length };
                    if (arrived.Filled < blob.ChunkLength(arrived.Chunk))
                    {
                        begun.Enqueue(arrived);
                        break;
                    }
                    await sink.TakeAsync(arrived.Chunk, _buffers[arrived.Slot].AsMemory(0, arrived.Filled));
                    free.Push(arrived.Slot);
                    if (sink.IsEnough) return new SourceEnd(SourceEndKind.BadContent, $"MQTT brings other bytes of blob {blob.Digest} than the manifest names.");
                    break;
                case BlobAnswer.Silence when ++silences < MaximumSilencesInARow:
                    begun.Enqueue(reply.Part);
                    break;
                default:
                    return EndOf(reply.Answer, blob);
            }
        }
    }

    private SourceEnd EndOf(BlobAnswer answer, Blob blob) => answer switch
    {
        BlobAnswer.Silence => new SourceEnd(SourceEndKind.Broken, $"Nobody answers requests for blobs within {limits.ChunkTimeout.TotalSeconds:0.##} s; run dunlin-fleet serve."),
        BlobAnswer.Unknown => new SourceEnd(SourceEndKind.NotFound, $"dunlin-fleet serve does not know blob {blob.Digest}; publish its release there."),
        BlobAnswer.Refused => new SourceEnd(SourceEndKind.Unauthorized, $"The broker does not let this device ask for blobs; allow topic blob in its access list ({Topics.Page})."),
        _ => NoLink(),
    };

    private static SourceEnd NoLink() => new(SourceEndKind.Broken, "There is no link to the broker.");

    private async Task<Reply> AskAsync(Blob blob, Part part, CancellationToken cancellationToken)
    {
        var length = Math.Min(_window.PieceLength, blob.ChunkLength(part.Chunk) - part.Filled);
        var request = new BlobRequest { Digest = blob.Digest, Offset = ((long)part.Chunk * blob.ChunkSize) + part.Filled, Length = length };
        var started = time.GetTimestamp();
        var answer = await channel.AskAsync(request, _buffers[part.Slot].AsMemory(part.Filled, length), limits.ChunkTimeout, time, cancellationToken);
        return new Reply(answer, part, length, time.GetElapsedTime(started));
    }
}
