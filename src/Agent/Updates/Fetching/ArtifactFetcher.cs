using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// Brings blobs into the store: those that are there and whole are not fetched, the others come chunk by chunk, verified before they
/// count, from the best source; a restart goes on where the last one ended. One fetch at a time.
/// </summary>
internal sealed partial class ArtifactFetcher(BlobStore store, SourceFactory factory, FetchLimits limits, TimeProvider time, ILogger<ArtifactFetcher> logger)
{
    /// <summary>The time that certificates are checked at; the agent sets its trusted time here. Default: the clock.</summary>
    public Func<DateTimeOffset>? TrustedNow { get; set; }

    /// <summary>Fetches what is missing of the blobs, in their order.</summary>
    /// <param name="blobs">Lengths and digests that are trusted: from a verified manifest, or a verified directive's signature.</param>
    /// <param name="sources">The directive's, best first.</param>
    /// <param name="progress">Called on the fetch's own thread; returns quickly.</param>
    /// <param name="cancellationToken">Stopping keeps what has come; the same call later goes on from there.</param>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public async Task<FetchResult> FetchAsync(
        IReadOnlyList<Blob> blobs, IReadOnlyList<ArtifactSource> sources, Action<FetchProgress>? progress, CancellationToken cancellationToken)
    {
        await Task.Yield();
        var distinct = blobs.DistinctBy(blob => blob.Digest).ToList();
        var total = distinct.Sum(blob => blob.Size);
        if (total > limits.MaximumByteCount)
            return FetchResult.Failure(FetchCodes.TooLarge, $"The files of this release have {total} bytes, and Updates:MaximumFetchMegabytes allows {limits.MaximumByteCount}; raise it, or send a smaller release.");
        var counter = new FetchProgressCounter(total, progress);
        var missing = FindMissing(distinct, counter, cancellationToken);
        if (missing.Count == 0) return FetchResult.Success;
        if (store.LackingByteCount(missing) is > 0 and var lacking)
            return FetchResult.Failure(FetchCodes.NoSpace, $"{lacking} bytes of disk are lacking below {store.Layout.Root} for {missing.Count} files, with the reserve left free; free them and send the directive again.");

        using var deadline = new CancellationTokenSource(limits.TotalTime, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        var standings = sources.Select((source, i) => new SourceStanding(factory.Make(source, TrustedNow ?? time.GetUtcNow), i)).ToList();
        try
        {
            return await FetchAsync(missing, standings, counter, either.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            return FetchResult.Failure(FetchCodes.Timeout, $"The release was not fetched within {limits.TotalTime.TotalHours:0.##} h (Updates:MaximumFetchHours); send the directive again, and the fetch goes on where it stopped.");
        }
        finally
        {
            foreach (var standing in standings) standing.Source.Dispose();
        }
    }

    private async Task<FetchResult> FetchAsync(List<Blob> missing, List<SourceStanding> standings, FetchProgressCounter counter, CancellationToken cancellationToken)
    {
        var fetch = new BlobFetch(store, standings, limits, time, counter, LogProblem);
        foreach (var blob in missing)
        {
            var started = time.GetTimestamp();
            var result = await fetch.RunAsync(blob, cancellationToken);
            if (!result.IsSuccess) return result;
            var took = time.GetElapsedTime(started);
            LogFetched(blob.Digest, blob.Size, took);
        }
        return FetchResult.Success;
    }

    private List<Blob> FindMissing(List<Blob> blobs, FetchProgressCounter counter, CancellationToken cancellationToken)
    {
        var missing = new List<Blob>();
        foreach (var blob in blobs)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (store.IsWhole(blob))
            {
                counter.Skip(blob);
                continue;
            }
            if (File.Exists(store.Layout.Blob(blob.Digest)))
            {
                LogRotten(blob.Digest);
                store.Delete(blob.Digest);
            }
            missing.Add(blob);
        }
        return missing;
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Fetched {Digest}, {ByteCount} bytes, in {Duration}")]
    private partial void LogFetched(Digest digest, long byteCount, TimeSpan duration);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Stored blob {Digest} is corrupt and is fetched again")]
    private partial void LogRotten(Digest digest);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Fetching: {Problem}")]
    private partial void LogProblem(string problem);
}
