namespace Dunlin.Runtime.Cameras;

/// <summary>How long to wait before a source is opened again: doubling from 0.25 s, at most 10 s, jittered by half.</summary>
internal sealed class ReopenDelay(Random random)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(10);
    private const int FailuresWithFrames = 3;
    private int _failures;

    /// <summary>A delay in [0.5, 1) of 0.25 s × 2ⁿ after the n-th failure in a row.</summary>
    public TimeSpan Next()
    {
        var whole = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(_failures++, 20)), Longest.TotalSeconds);
        return TimeSpan.FromSeconds(whole * (0.5 + random.NextDouble() / 2));
    }

    /// <summary>A frame came: the source is there, so that its next wait is at most 2 s.</summary>
    public void Shorten() => _failures = Math.Min(_failures, FailuresWithFrames);

    /// <summary>The source is well.</summary>
    public void Reset() => _failures = 0;
}
