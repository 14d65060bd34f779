using Dunlin.Contracts.Race;

namespace Dunlin.Agent.Serving;

/// <summary>What became of a wish for a race.</summary>
/// <param name="Verdict">Null if there was none.</param>
/// <param name="Code">Why there was none, for a reply; null if there was.</param>
/// <param name="Detail">The verdict's reason, or the code's, in a sentence.</param>
internal sealed record RaceAnswer(Verdict? Verdict, string? Code, string Detail)
{
    public static RaceAnswer Running { get; } = new(null, "race.running", "A race is wanted or under way already; wait for its verdict.");

    public static RaceAnswer NoRelease { get; } = new(null, "race.no-release", "There is nothing to race, since no release is open on this board; reported.problems says why, unless it has just started.");

    public static RaceAnswer Trial { get; } = new(null, "race.trial", "A release is on trial, and a race would spoil its latency; ask again when the trial has ended.");

    public static RaceAnswer Of(Verdict verdict) => new(verdict, null, verdict.Reason);
}
