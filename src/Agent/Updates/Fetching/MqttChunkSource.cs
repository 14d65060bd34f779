using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Messages;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Chunks through the broker, a few requests at a time; one that is not answered is asked for again.</summary>
internal sealed class MqttChunkSource(BlobChannel channel, FetchLimits limits, TimeProvider time) : IChunkSource
{
    private const int MaximumSilencesInARow = 3;
    private readonly byte[][] _buffers = [.. Enumerable.Range(0, limits.OutstandingChunks).Select(_ => new byte[Blob.StandardChunkSize])];

    public string Name => "MQTT";

    private readonly record struct Reply(BlobAnswer Answer, int Chunk, int Slot);

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
        var again = new Queue<int>();
        var silences = 0;
        for (var next = first; ;)
        {
            while (free.Count > 0 && (again.Count > 0 || next < end))
            {
                var chunk = again.Count > 0 ? again.Dequeue() : next++;
                if (!sink.Has(chunk)) asked.Add(AskAsync(blob, chunk, free.Pop(), cancellationToken));
            }
            if (asked.Count == 0) return SourceEnd.Complete;
            var done = await Task.WhenAny(asked);
            asked.Remove(done);
            var reply = await done;
            free.Push(reply.Slot);
            switch (reply.Answer)
            {
                case BlobAnswer.Arrived:
                    silences = 0;
                    var length = blob.ChunkLength(reply.Chunk);
                    sink.Received(length);
                    await sink.TakeAsync(reply.Chunk, _buffers[reply.Slot].AsMemory(0, length));
                    if (sink.IsEnough) return new SourceEnd(SourceEndKind.BadContent, $"MQTT brings other bytes of blob {blob.Digest} than the manifest names.");
                    break;
                case BlobAnswer.Silence when ++silences < MaximumSilencesInARow:
                    again.Enqueue(reply.Chunk);
                    break;
                case BlobAnswer.Silence:
                    return new SourceEnd(SourceEndKind.Broken, $"Nobody answers requests for blobs within {limits.ChunkTimeout.TotalSeconds:0.##} s; run dunlin-fleet serve.");
                case BlobAnswer.Unknown:
                    return new SourceEnd(SourceEndKind.NotFound, $"dunlin-fleet serve does not know blob {blob.Digest}; publish its release there.");
                case BlobAnswer.Refused:
                    return new SourceEnd(SourceEndKind.Unauthorized, "The broker does not let this device ask for blobs; allow topic blob in its access list (topics.md in docs/, on a board in /usr/share/doc/dunlin-agent).");
                default:
                    return NoLink();
            }
        }
    }

    private static SourceEnd NoLink() => new(SourceEndKind.Broken, "There is no link to the broker.");

    private async Task<Reply> AskAsync(Blob blob, int chunk, int slot, CancellationToken cancellationToken)
    {
        var request = new BlobRequest { Digest = blob.Digest, Offset = (long)chunk * blob.ChunkSize, Length = blob.ChunkLength(chunk) };
        return new Reply(await channel.AskAsync(request, _buffers[slot], limits.ChunkTimeout, time, cancellationToken), chunk, slot);
    }
}
