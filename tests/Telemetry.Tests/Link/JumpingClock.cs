namespace Dunlin.Telemetry.Tests.Link;

/// <summary>The system's clock with a wall time that a test sets; the monotonic time goes on as it does in the kernel.</summary>
internal sealed class JumpingClock : TimeProvider
{
    private long _offsetTicks;

    public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + TimeSpan.FromTicks(Volatile.Read(ref _offsetTicks));

    public void JumpTo(DateTimeOffset now) => Volatile.Write(ref _offsetTicks, (now - System.GetUtcNow()).Ticks);
}
