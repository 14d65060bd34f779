using Dunlin.Agent.Children;
using Dunlin.Agent.Energy;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Updates;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Serving;

/// <summary>What serving is made of.</summary>
internal sealed record ServingParts
{
    public required ReleaseGate Gate { get; init; }
    public required Race Race { get; init; }
    public required Vetting Vetting { get; init; }
    public required VerdictStore Verdicts { get; init; }
    public required IdlePower Idle { get; init; }
    public required TrialWatch Trial { get; init; }
    public required Func<RenewSession, CancellationToken, WorkerSeat> CreateSeat { get; init; }
}
