using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>What is raced for, and how surely.</summary>
public sealed record RaceRules
{
    /// <summary>Why a contender left whose p95 is over <see cref="DeadlineMilliseconds"/>.</summary>
    public const string DeadlineMissed = "deadline.missed";

    public required Objective Objective { get; init; }

    /// <summary>Probability, per race, that a contender is dropped wrongly; shared by all comparisons and all looks.</summary>
    public double Alpha { get; init; } = 0.01;

    /// <summary>A contender counts as faster than one that is preferred only if it is so by this share, 0…1.</summary>
    public double TieMargin { get; init; } = 0.05;

    public TimeSpan Budget { get; init; } = TimeSpan.FromSeconds(20);

    /// <summary>Rounds after which what is undecided is a tie, unless only tails that are not known yet can decide it.</summary>
    public int TieRoundCount { get; init; } = int.MaxValue;

    /// <summary>Milliseconds per frame that p95 must keep; null: any.</summary>
    public double? DeadlineMilliseconds { get; init; }
}
