using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>Adds up what is stored and what came, over all blobs of a fetch.</summary>
internal sealed class FetchProgressCounter(long totalByteCount, Action<FetchProgress>? report)
{
    private long _finished;
    private long _partial;
    private long _received;

    public void Skip(Blob blob) => _finished += blob.Size;

    public void Received(int byteCount) => _received += byteCount;

    public void Resume(Blob blob, PartialBlob partial)
    {
        _partial = partial.VerifiedByteCount;
        Report(blob, null);
    }

    public void Report(PartialBlob partial, string? problem = null)
    {
        _partial = partial.VerifiedByteCount;
        Report(partial.Blob, problem);
    }

    public void Finish(Blob blob)
    {
        (_finished, _partial) = (_finished + blob.Size, 0);
        Report(blob, null);
    }

    private void Report(Blob blob, string? problem) =>
        report?.Invoke(new FetchProgress(blob.Digest, _finished + _partial, totalByteCount, Interlocked.Read(ref _received), problem));
}
