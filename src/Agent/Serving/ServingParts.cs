using Dunlin.Agent.Racing;
using Dunlin.Agent.Reporting;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;
using Dunlin.Telemetry.Energy;
using Dunlin.Telemetry.Outbox;

namespace Dunlin.Agent.Serving;

/// <summary>What serving is made of.</summary>
internal sealed record ServingParts
{
    private static readonly TimeSpan IdleTime = TimeSpan.FromSeconds(3);

    public required ReleaseGate Gate { get; init; }
    public required Race Race { get; init; }
    public required Vetting Vetting { get; init; }
    public required VerdictStore Verdicts { get; init; }
    public required WindowReport Windows { get; init; }
    public required EnergySampler Energy { get; init; }
    public required MessagePublisher Publisher { get; init; }
    public required Func<CancellationToken, WorkerSeat> CreateSeat { get; init; }

    /// <summary>Nothing runs yet: the one moment in which idle power can be measured.</summary>
    public Task BeforeFirstRace(CancellationToken cancellationToken) => Energy.MeasureIdleAsync(IdleTime, cancellationToken);

    /// <summary>The verdict as of these conditions, kept on the disk if it has a winner and the disk takes it.</summary>
    public Verdict Keep(Verdict verdict, RaceConditions conditions) => Verdicts.Keep(verdict, conditions);

    public void Publish(TelemetryWindow window) => Publisher.Publish(window);
}
