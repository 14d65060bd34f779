namespace Dunlin.TestKit.Machine;

/// <summary>A board's clock that somebody sets: wall time jumps, the monotonic clock and timers do not.</summary>
public sealed class SteppedClock(TimeProvider monotonic) : TimeProvider
{
    private long _aheadTicks;

    /// <summary>What the wall clock is ahead of the time; set from any thread.</summary>
    public TimeSpan Ahead
    {
        get => TimeSpan.FromTicks(Volatile.Read(ref _aheadTicks));
        set => Volatile.Write(ref _aheadTicks, value.Ticks);
    }

    public override long TimestampFrequency => monotonic.TimestampFrequency;

    public override DateTimeOffset GetUtcNow() => monotonic.GetUtcNow() + Ahead;

    public override long GetTimestamp() => monotonic.GetTimestamp();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => monotonic.CreateTimer(callback, state, dueTime, period);
}
