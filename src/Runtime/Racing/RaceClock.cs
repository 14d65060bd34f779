namespace Dunlin.Runtime.Racing;

/// <summary>
/// What a race has spent of its budget. Rounds do the same work: one that took far longer than the others is one in which the board
/// stood still, and what that took is left out. Else so few rounds would be left that it decided them, and the verdict is kept.
/// </summary>
internal sealed class RaceClock(TimeProvider time)
{
    private const double FarLonger = 4;
    private static readonly TimeSpan Noticeable = TimeSpan.FromSeconds(1);

    private readonly long _start = time.GetTimestamp();
    private readonly List<TimeSpan> _rounds = [];
    private long _round;

    public TimeSpan Elapsed => time.GetElapsedTime(_start);

    public void BeginRound() => _round = time.GetTimestamp();

    public void EndRound() => _rounds.Add(time.GetElapsedTime(_round));

    public bool HasSpent(TimeSpan budget) => Elapsed is var elapsed && elapsed >= budget && elapsed - Standstill() >= budget;

    private TimeSpan Standstill()
    {
        if (_rounds.Count == 0) return TimeSpan.Zero;
        var sorted = _rounds.Order().ToList();
        var (usual, longest) = (sorted[(sorted.Count - 1) / 2], sorted[^1]);
        return longest > FarLonger * usual && longest - usual > Noticeable ? longest - usual : TimeSpan.Zero;
    }
}
