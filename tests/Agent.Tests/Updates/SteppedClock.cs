namespace Dunlin.Agent.Tests.Updates;

/// <summary>A board's clock that somebody sets: wall time jumps, the monotonic clock and timers do not.</summary>
internal sealed class SteppedClock(TimeProvider monotonic) : TimeProvider
{
    /// <summary>What the wall clock is ahead of the time.</summary>
    public TimeSpan Ahead { get; set; }

    public override long TimestampFrequency => monotonic.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => monotonic.GetUtcNow() + Ahead;

    public override long GetTimestamp() => monotonic.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => monotonic.CreateTimer(callback, state, dueTime, period);
}
