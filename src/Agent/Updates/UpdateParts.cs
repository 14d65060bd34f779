using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;

namespace Dunlin.Agent.Updates;

/// <summary>What an update moves: the network and the worker, at whose seams tests put others, and the stores of this board.</summary>
internal sealed record UpdateParts
{
    /// <summary>As <see cref="ArtifactFetcher"/> does it.</summary>
    public required Func<IReadOnlyList<Blob>, IReadOnlyList<ArtifactSource>, Action<FetchProgress>?, CancellationToken, Task<FetchResult>> Fetch { get; init; }

    /// <inheritdoc cref="ServingService.SwitchAsync"/>
    public required Func<ServedRelease?, Verdict?, CancellationToken, Task<UpdateFailure?>> Switch { get; init; }

    public required IReleaseProof Proof { get; init; }
    public required ReleaseGate Gate { get; init; }
    public required ReleaseStore Releases { get; init; }
    public required BlobStore Blobs { get; init; }
    public required Quarantined Quarantine { get; init; }
    public required TrialWatch Trial { get; init; }
}
