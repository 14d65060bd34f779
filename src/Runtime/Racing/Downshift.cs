using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>When to run a lighter variant, and when to come back.</summary>
public sealed record DownshiftOptions
{
    /// <summary>Share of late frames, 0…1, that makes a window bad.</summary>
    public double MissShare { get; init; } = 0.1;

    /// <summary>Bad windows in a row before going down.</summary>
    public int DownAfter { get; init; } = 3;

    /// <summary>Good windows in a row before going up; doubled after each return that did not last, up to 16 times.</summary>
    public int UpAfter { get; init; } = 12;
}

/// <summary>One window of the live pipeline.</summary>
/// <param name="LateShare">Frames past their deadline, 0…1; 0 without a deadline.</param>
/// <param name="Throttled">The board holds its CPU back.</param>
/// <param name="LowBattery">Energy must be saved.</param>
public readonly record struct LiveWindow(double LateShare, bool Throttled, bool LowBattery);

/// <summary>
/// Chooses the rung of a ladder of vetted contenders: down after bad windows, up after more good ones.
/// <code>
///            bad × DownAfter            good × UpAfter · patience
/// rung r ───────────────────► r + 1 ───────────────────────────► r
///        (not below the last)        bad × DownAfter within UpAfter windows of it: patience doubles
/// </code>
/// A pure state machine; one thread.
/// </summary>
/// <param name="ladder">The wanted contender first, each next one lighter; see <see cref="Ladder"/>.</param>
/// <param name="options">The hysteresis.</param>
public sealed class Downshift(IReadOnlyList<ContenderId> ladder, DownshiftOptions options)
{
    private const int MaximumPatience = 16;

    /// <summary>Of the winner's CPU time, what a lighter contender may need: fewer threads of the same variant are often no less work.</summary>
    private const double LighterShare = 0.9;

    private int _rung;
    private int _bad;
    private int _good;
    private int _patience = 1;
    private int _sinceUp = int.MaxValue;

    public ContenderId Wanted => ladder[0];
    public ContenderId Current => ladder[_rung];

    /// <returns>True if <see cref="Current"/> has changed.</returns>
    public bool Observe(LiveWindow window)
    {
        var isBad = window.Throttled || window.LowBattery || window.LateShare > options.MissShare;
        (_bad, _good) = isBad ? (_bad + 1, 0) : (0, _good + 1);
        if (_sinceUp < int.MaxValue) _sinceUp++;
        if (_bad >= options.DownAfter && _rung < ladder.Count - 1)
        {
            if (_sinceUp <= options.UpAfter) _patience = Math.Min(2 * _patience, MaximumPatience);
            return Move(1);
        }

        if (_rung == 0)
        {
            if (_sinceUp > MaximumPatience * options.UpAfter) _patience = 1;
            return false;
        }

        if (_good < options.UpAfter * _patience) return false;
        _sinceUp = 0;
        return Move(-1);
    }

    /// <summary>The winner, then the lightest contender of each variant that ran in the race, keeps its deadline and needs clearly less CPU time, the heaviest first.</summary>
    public static IReadOnlyList<ContenderId> Ladder(Verdict verdict)
    {
        if (verdict.Contenders.FirstOrDefault(contender => contender.Contender == verdict.Winner) is not { } winner) return [];
        return
        [
            winner.Contender,
            .. verdict.Contenders
                .Where(contender => contender.Outcome is ContenderOutcome.Lost or ContenderOutcome.Tied && contender.CpuMilliseconds <= LighterShare * winner.CpuMilliseconds && Keeps(verdict, contender))
                .GroupBy(contender => contender.Contender.Variant)
                .Select(variant => variant.MinBy(contender => contender.CpuMilliseconds)!)
                .OrderByDescending(contender => contender.CpuMilliseconds)
                .Select(contender => contender.Contender),
        ];
    }

    // On a rung that is late by itself no window is ever good, and nothing would lead back from it.
    private static bool Keeps(Verdict verdict, ContenderVerdict contender) =>
        contender.ReasonCode != RaceRules.DeadlineMissed && !(contender.LatencyMilliseconds?.P95 > verdict.Conditions.DeadlineMilliseconds);

    private bool Move(int step)
    {
        _rung += step;
        (_bad, _good) = (0, 0);
        return true;
    }
}
