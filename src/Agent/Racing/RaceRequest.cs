using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Racing;

/// <summary>What one race is about.</summary>
/// <param name="Bundle">The release.</param>
/// <param name="Contenders">From <see cref="Race.Enumerate"/>.</param>
/// <param name="Objective">As the directive asks; null: as the device is configured.</param>
internal sealed record RaceRequest(Bundle Bundle, IReadOnlyList<Contender> Contenders, Objective? Objective = null)
{
    /// <summary>What serves now; a tie keeps it.</summary>
    public ContenderId? Incumbent { get; init; }

    /// <summary>Variants that were vetted just now and need not be again.</summary>
    public IReadOnlyList<Vetted> Known { get; init; } = [];

    /// <summary>Called as soon as a variant has passed its golden check: it may serve until there is a verdict.</summary>
    public Action<SessionSpec>? Vetted { get; init; }
}
