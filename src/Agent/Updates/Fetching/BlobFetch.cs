using System.Security.Cryptography;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Brings one blob from the best of the sources, over any number of cuts, into the store.</summary>
internal sealed class BlobFetch(BlobStore store, IReadOnlyList<SourceStanding> sources, FetchLimits limits, TimeProvider time, FetchProgressCounter progress, Action<string> logProblem)
{
    /// <summary>Chunks of one request; between requests the best source is chosen anew.</summary>
    private const int MaximumRunLength = 1024;

    public async Task<FetchResult> RunAsync(Blob blob, CancellationToken cancellationToken)
    {
        foreach (var source in sources) source.ForgetAbsence();
        for (var failures = 0; ; failures++)
        {
            try
            {
                using var partial = store.OpenPartial(blob);
                progress.Resume(blob, partial);
                if (await FillAsync(partial, cancellationToken) is { } failure) return failure;
                return partial.TryFinish() ? Done(blob) : FetchResult.Failure(FetchCodes.DigestMismatch,
                    $"Every chunk of blob {blob.Digest} is as the manifest says, and the whole is not: the manifest contradicts itself. Build and sign the release again.");
            }
            catch (IOException e) when (BlobStore.IsOutOfSpace(e))
            {
                return FetchResult.Failure(FetchCodes.NoSpace, $"The disk became full while blob {blob.Digest} of {blob.Size} bytes was fetched: {e.Message} Free some space and send the directive again.");
            }
            catch (IOException e) when (failures < limits.MaximumDiskFailures)
            {
                logProblem($"The disk lost blob {blob.Digest}, which is fetched again: {e.Message}");
            }
            catch (IOException e)
            {
                return FetchResult.Failure(FetchCodes.DiskFailed, $"The disk lost blob {blob.Digest} {failures + 1} times: {e.Message} Replace the disk.");
            }
        }
    }

    private FetchResult Done(Blob blob)
    {
        progress.Finish(blob);
        return FetchResult.Success;
    }

    private async Task<FetchResult?> FillAsync(PartialBlob partial, CancellationToken cancellationToken)
    {
        var sink = new ChunkSink(partial, limits, progress.Received, () => progress.Report(partial));
        var lastProgress = time.GetTimestamp();
        var failures = 0;
        while (!partial.IsComplete)
        {
            if (sources.Where(s => !s.IsExcluded).MinBy(s => (s.Penalty, s.Order)) is not { } standing) return Exhausted(string.Join(" ", Ends.Select(e => e.Detail).Distinct()));
            var (first, count) = partial.NextMissing();
            var (goodBefore, badBefore) = (sink.GoodCount, sink.BadCount);
            var end = await AskAsync(standing.Source, partial.Blob, first, Math.Min(count, MaximumRunLength), sink, cancellationToken);
            var (good, bad) = (sink.GoodCount - goodBefore, sink.BadCount - badBefore);
            standing.Judge(end, good, bad);
            if (good > 0) (failures, lastProgress) = (0, time.GetTimestamp());
            if (end.Kind == SourceEndKind.Complete && bad == 0) continue;

            var problem = end.Kind == SourceEndKind.Complete ? $"{standing.Source.Name} sent {bad} wrong chunks of {good + bad}." : end.Detail;
            progress.Report(partial, problem);
            logProblem(problem);
            if (sink.HopelessChunk is { } hopeless)
            {
                return FetchResult.Failure(FetchCodes.DigestMismatch,
                    $"Chunk {hopeless} of blob {partial.Blob.Digest} came wrong {limits.MaximumDeliveriesOfAChunk} times ({Names()}); publish the bundle again.");
            }
            if (time.GetElapsedTime(lastProgress) >= limits.Patience)
                return Exhausted($"No source brought a chunk for {limits.Patience.TotalHours:0.##} h; the last one: {problem} Check the sources and send the directive again.");
            if (good == 0 && ++failures >= sources.Count(s => !s.IsExcluded)) await WaitAsync(failures - 1, cancellationToken);
        }
        return null;
    }

    private async Task<SourceEnd> AskAsync(IChunkSource source, Blob blob, int first, int count, ChunkSink sink, CancellationToken cancellationToken)
    {
        using var guard = new ThroughputGuard(limits, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(guard.Token, cancellationToken);
        sink.BeginRequest(guard);
        try
        {
            return await source.ReadAsync(blob, first, count, sink, either.Token);
        }
        catch (OperationCanceledException) when (guard.IsTooSlow && !cancellationToken.IsCancellationRequested)
        {
            return new SourceEnd(SourceEndKind.TooSlow, $"{source.Name} brought less than {limits.MinimumBytesPerSecond} bytes/s over {limits.SlowWindow.TotalSeconds:0.##} s.");
        }
    }

    private Task WaitAsync(int failures, CancellationToken cancellationToken) =>
        Task.Delay(limits.Backoff(failures, RandomNumberGenerator.GetInt32(0, 1_000_001) / 1e6), time, cancellationToken);

    private IEnumerable<SourceEnd> Ends => sources.Select(s => s.LastFailure).OfType<SourceEnd>();

    /// <summary>All have failed, for good or for too long; the code is the reason that they share.</summary>
    private FetchResult Exhausted(string detail)
    {
        var kinds = Ends.Select(e => e.Kind).Distinct().ToList();
        var code = kinds.Count != 1 ? FetchCodes.SourcesExhausted : kinds[0] switch
        {
            SourceEndKind.TooSlow => FetchCodes.TooSlow,
            SourceEndKind.BadContent => FetchCodes.DigestMismatch,
            SourceEndKind.HostNotAllowed => FetchCodes.HostNotAllowed,
            SourceEndKind.Unauthorized => FetchCodes.Unauthorized,
            SourceEndKind.NotFound => FetchCodes.NotFound,
            _ => FetchCodes.SourcesExhausted,
        };
        return FetchResult.Failure(code, detail);
    }

    private string Names() => string.Join(", ", sources.Select(s => s.Source.Name));
}
