using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>How <see cref="RaceController.Race"/> ended.</summary>
/// <param name="Winner">Null if every contender failed.</param>
/// <param name="Results">One per contender, the most preferred first.</param>
/// <param name="RoundCount">Rounds that counted.</param>
/// <param name="OutOfTime">The budget was spent before the race was decided.</param>
/// <param name="Elapsed">Warm-up included.</param>
public sealed record RaceOutcome(ContenderId? Winner, IReadOnlyList<EntrantResult> Results, int RoundCount, bool OutOfTime, TimeSpan Elapsed);

/// <summary>What one contender showed in a race.</summary>
public sealed record EntrantResult
{
    public required ContenderId Id { get; init; }
    public required ContenderOutcome Outcome { get; init; }
    public required string ReasonCode { get; init; }
    public required string Reason { get; init; }
    public required int RunCount { get; init; }
    public required int ThrottledRunCount { get; init; }
    public Percentiles? LatencyMilliseconds { get; init; }
    public double? CpuMilliseconds { get; init; }

    internal static EntrantResult Of(Entrant entrant) => new()
    {
        Id = entrant.Id,
        Outcome = entrant.Outcome!.Value,
        ReasonCode = entrant.ReasonCode,
        Reason = entrant.Reason,
        RunCount = entrant.RunCount,
        ThrottledRunCount = entrant.ThrottledRunCount,
        LatencyMilliseconds = entrant.Tail?.Milliseconds,
        CpuMilliseconds = entrant.CpuMilliseconds,
    };
}
