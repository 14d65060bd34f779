using System.Net;
using System.Net.Http.Headers;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// Blobs over HTTP, from an OCI layout directory or a registry: one ranged request streams many chunks. What a cut left of a chunk is
/// kept in memory and completed by a request with If-Range; another ETag throws it away. A server without ranges is read from its start.
/// </summary>
internal sealed class HttpChunkSource(string name, Func<Digest, Uri> addressOf, HttpAccess access) : IChunkSource
{
    private const int BufferCount = 64;
    private ChunkBuffers? _buffers;
    private readonly byte[] _cutBytes = new byte[Blob.StandardChunkSize];
    private (Digest Blob, int Chunk, int Length) _cut;
    private (Digest Blob, EntityTagHeaderValue Tag)? _tag;

    public string Name { get; } = name;

    public async Task<SourceEnd> ReadAsync(Blob blob, int firstChunk, int chunkCount, ChunkSink sink, CancellationToken cancellationToken)
    {
        if (_cut.Length > 0 && (_tag is not { } held || held.Blob != blob.Digest || _cut.Blob != blob.Digest || _cut.Chunk != firstChunk)) _cut = default;
        var last = Math.Min(blob.Size, (long)(firstChunk + chunkCount) * blob.ChunkSize) - 1;
        for (var isSecond = false; ; isSecond = true)
        {
            var start = ((long)firstChunk * blob.ChunkSize) + _cut.Length;
            var ifRange = _tag is { } tag && tag.Blob == blob.Digest ? tag.Tag : null;
            var (response, end) = await access.GetAsync(addressOf(blob.Digest), new RangeHeaderValue(start, last), ifRange, cancellationToken);
            if (response is null) return end;
            using (response)
            {
                if (Objection(response, blob, start) is { } objection) return objection;
                var isWhole = response.StatusCode == HttpStatusCode.OK;
                var hasChanged = isWhole && ifRange is not null && start > 0;
                Remember(blob, response);
                if (isWhole) _cut = default;
                // Another representation under the same name: its chunks are asked for from where we stand, and judged by their digests.
                if (hasChanged && !isSecond && response.Headers.AcceptRanges.Contains("bytes")) continue;
                // What a server without ranges sends behind this run, it would send again, with all before it.
                var (from, to) = isWhole ? (0, blob.Chunks.Count) : (firstChunk, firstChunk + chunkCount);
                return await StreamAsync(response, blob, from, to, sink, cancellationToken);
            }
        }
    }

    public void Dispose() => access.Dispose();

    private SourceEnd? Objection(HttpResponseMessage response, Blob blob, long start)
    {
        if (response.Content.Headers.ContentEncoding.Any(e => e != "identity"))
            return Misbehaved($"it sends blob {blob.Digest} encoded, which was not asked for");
        if (response.StatusCode == HttpStatusCode.OK)
        {
            return response.Content.Headers.ContentLength is { } length && length != blob.Size
                ? Misbehaved($"it says that blob {blob.Digest} has {length} bytes, and the manifest says {blob.Size}")
                : null;
        }
        var range = response.Content.Headers.ContentRange;
        if (range is not { Unit: "bytes", From: { } from } || from != start)
            return Misbehaved($"it sends another range of blob {blob.Digest} than was asked for");
        return range.Length is { } whole && whole != blob.Size
            ? Misbehaved($"it says that blob {blob.Digest} has {whole} bytes, and the manifest says {blob.Size}")
            : null;
    }

    private SourceEnd Misbehaved(string what) => new(SourceEndKind.Misbehaved, $"{Name} does not keep to the rules: {what}.");

    private void Remember(Blob blob, HttpResponseMessage response) =>
        _tag = response.Headers.ETag is { IsWeak: false } tag ? (blob.Digest, tag) : null;

    /// <summary>Reads chunk by chunk to the end of the run, and not one byte more, whatever the server would send.</summary>
    private async Task<SourceEnd> StreamAsync(HttpResponseMessage response, Blob blob, int from, int end, ChunkSink sink, CancellationToken cancellationToken)
    {
        Stream stream;
        try
        {
            stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && HttpAccess.IsOfTheNetwork(e))
        {
            return Broken(e);
        }
        await using (stream)
        {
            _buffers ??= new ChunkBuffers(BufferCount);
            var pipeline = new ChunkPipeline(sink, _buffers);
            try
            {
                if (await FillAsync(stream, blob, from, end, pipeline, sink, cancellationToken) is { } failure) return failure;
            }
            finally
            {
                await pipeline.FinishAsync();
            }
        }
        return sink.IsEnough ? new SourceEnd(SourceEndKind.BadContent, $"{Name} sends other bytes of blob {blob.Digest} than the manifest names.") : SourceEnd.Complete;
    }

    /// <summary>Reads what is there, as far as there is room for it, after what an earlier cut left; hands on chunks as soon as they are whole.</summary>
    /// <returns>Null if all came, or the rest is not wanted.</returns>
    private async Task<SourceEnd?> FillAsync(Stream stream, Blob blob, int from, int end, ChunkPipeline pipeline, ChunkSink sink, CancellationToken cancellationToken)
    {
        var run = await pipeline.ExtendAsync(new ChunkRun(from, 0, 0), end - from, cancellationToken);
        var filled = _cut.Length;
        _cutBytes.AsSpan(0, filled).CopyTo(pipeline.MemoryOf(run).Span);
        _cut = default;
        while (run.Chunk < end && !sink.IsEnough)
        {
            run = await pipeline.ExtendAsync(run, end - run.Chunk, cancellationToken);
            if (run.Count == 0) return null;
            var content = pipeline.MemoryOf(run);
            var (count, failure) = await ReadAsync(stream, content[filled..], cancellationToken);
            if (count == 0)
            {
                content.Span[..filled].CopyTo(_cutBytes);
                _cut = (blob.Digest, run.Chunk, filled);
                return failure;
            }

            sink.Received(count);
            filled += count;
            var whole = filled == content.Length ? run.Count : filled / blob.ChunkSize;
            if (whole == 0) continue;
            pipeline.Hand(run.First(whole));
            filled -= sink.LengthOf(run.First(whole));
            run = run.After(whole);
        }

        return null;
    }

    private async ValueTask<(int Count, SourceEnd Failure)> ReadAsync(Stream stream, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken) is var count and > 0
                ? (count, SourceEnd.Complete)
                : (0, new SourceEnd(SourceEndKind.Broken, $"{Name} ended before all had come."));
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && HttpAccess.IsOfTheNetwork(e))
        {
            return (0, Broken(e));
        }
    }

    private SourceEnd Broken(Exception e)
    {
        var detail = access.Describe(e, Name);
        access.Reset();
        return new SourceEnd(SourceEndKind.Broken, detail);
    }
}
