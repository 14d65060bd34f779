using System.Collections.Concurrent;

namespace Dunlin.Runtime.Tests.Cameras.V4l2;

/// <summary>The system's clock, which a test may set forward.</summary>
/// <param name="haste">Timers ring so many times too early.</param>
internal sealed class TestTime(double haste = 1) : TimeProvider
{
    private long _ahead;

    /// <summary>What timers were set to.</summary>
    public ConcurrentQueue<TimeSpan> Waits { get; } = new();

    public override long GetTimestamp() => System.GetTimestamp() + Volatile.Read(ref _ahead);

    public void Hurry(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        Waits.Enqueue(dueTime);
        return System.CreateTimer(callback, state, dueTime / haste, period);
    }
}
