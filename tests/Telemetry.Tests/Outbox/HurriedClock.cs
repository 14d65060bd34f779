namespace Dunlin.Telemetry.Tests.Outbox;

/// <summary>The system's clock with a monotonic time that a test sets forward; timers do not notice.</summary>
internal sealed class HurriedClock : TimeProvider
{
    private long _ahead;

    public override long GetTimestamp() => System.GetTimestamp() + Volatile.Read(ref _ahead);

    public void Hurry(TimeSpan by) => Interlocked.Add(ref _ahead, (long)(by.TotalSeconds * TimestampFrequency));
}
