namespace Dunlin.Agent.Children;

/// <summary>
/// Time in which this process itself did not run, since the board stood still: its children most likely did not run either, and what
/// they said is not read yet. Who took that for their silence would hold a healthy release in quarantine. One thread at a time.
/// </summary>
/// <param name="time">Its monotonic side.</param>
/// <param name="period">The longest between two looks while the board runs; one that is late by another period comes after a standstill.</param>
internal sealed class Standstill(TimeProvider time, TimeSpan period)
{
    private long _looked = time.GetTimestamp();

    /// <returns>What of the time since the last look is nobody's, in ticks of the clock; mostly 0.</returns>
    public long Look()
    {
        var now = time.GetTimestamp();
        var since = time.GetElapsedTime(_looked, now);
        _looked = now;
        return since <= 2 * period ? 0 : (long)((since - period).TotalSeconds * time.TimestampFrequency);
    }
}
