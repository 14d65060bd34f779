using Dunlin.Agent.Racing;
using Dunlin.Agent.Serving;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Store;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;

namespace Dunlin.Agent.Updates;

/// <summary>A failure with its code of <c>docs/operations.md</c> and a sentence.</summary>
internal sealed record UpdateFailure(string Code, string Detail);

/// <summary>The variants that passed; where nothing may go on, why.</summary>
internal sealed record CheckEnd(IReadOnlyList<Vetted> Passed, UpdateFailure? Failure);

/// <summary>What an update is made of: the outside world, and the parts of this board that it moves.</summary>
internal sealed record UpdateParts
{
    /// <summary>Stores all blobs, verified, or says why not; tells the stored share 0…1 and the last problem. Cancelled, it keeps what it has.</summary>
    public required Func<IReadOnlyList<Blob>, IReadOnlyList<ArtifactSource>, Action<double, string?>, CancellationToken, Task<UpdateFailure?>> Fetch { get; init; }

    /// <summary>Static walk, load, save and golden set of every variant that may run, in heat processes.</summary>
    public required Func<Bundle, CancellationToken, Task<CheckEnd>> Check { get; init; }

    /// <summary>The race of what passed; its verdict is kept.</summary>
    public required Func<Bundle, Objective?, IReadOnlyList<Vetted>, CancellationToken, Task<Verdict>> Race { get; init; }

    /// <summary>The verdict of an earlier race of the release on this board; null if there is none.</summary>
    public required Func<Bundle, Objective?, Verdict?> FindVerdict { get; init; }

    /// <summary>Serves another release; the sentence says why it does not.</summary>
    public required Func<ServedRelease?, Verdict?, CancellationToken, Task<string?>> Switch { get; init; }

    public required ReleaseGate Gate { get; init; }
    public required ReleaseStore Releases { get; init; }
    public required BlobStore Blobs { get; init; }
    public required Quarantined Quarantine { get; init; }
    public required TrialWatch Trial { get; init; }

    /// <summary>Between two windows of the worker.</summary>
    public required TimeSpan WindowInterval { get; init; }

    /// <summary>Outcomes that the broker does not have yet.</summary>
    public required Func<long> QueuedOutcomeCount { get; init; }

    /// <summary>The trusted time.</summary>
    public required Func<DateTimeOffset> Now { get; init; }

    /// <summary>Removes the saved models of every release but these.</summary>
    public required Action<IReadOnlySet<Digest>> CollectCache { get; init; }
}
