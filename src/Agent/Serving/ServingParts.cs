using Dunlin.Agent.Energy;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Agent.Updates;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Outbox;

namespace Dunlin.Agent.Serving;

/// <summary>What serving is made of.</summary>
internal sealed record ServingParts
{
    public required ReleaseGate Gate { get; init; }
    public required Race Race { get; init; }
    public required Vetting Vetting { get; init; }
    public required VerdictStore Verdicts { get; init; }
    public required WindowReport Windows { get; init; }
    public required IdlePower Idle { get; init; }
    public required MessagePublisher Publisher { get; init; }
    public required TrialWatch Trial { get; init; }
    public required Func<CancellationToken, WorkerSeat> CreateSeat { get; init; }
}
