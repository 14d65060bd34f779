using Dunlin.Agent.Racing;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;

namespace Dunlin.Agent.Updates;

/// <summary>The variants that passed; where nothing may go on, why.</summary>
internal sealed record CheckEnd(IReadOnlyList<Vetted> Passed, UpdateFailure? Failure);

/// <summary>What a release has to show before it serves, where its models are really run.</summary>
internal interface IReleaseProof
{
    /// <summary>Static walk, load, save and golden set of every variant that may run.</summary>
    Task<CheckEnd> CheckAsync(Bundle bundle, CancellationToken cancellationToken);

    /// <summary>The race of what passed; its verdict is kept.</summary>
    Task<Verdict> RaceAsync(Bundle bundle, Objective? objective, IReadOnlyList<Vetted> vetted, CancellationToken cancellationToken);

    /// <summary>The verdict of an earlier race of the release; null if there is none.</summary>
    Verdict? FindVerdict(Bundle bundle, Objective? objective);

    /// <summary>Removes the saved models of every release but these and the factory bundle.</summary>
    void CollectCache(IReadOnlySet<Digest> releases);
}
