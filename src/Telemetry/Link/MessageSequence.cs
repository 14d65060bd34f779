namespace Dunlin.Telemetry.Link;

/// <summary>Numbers the messages of one boot: (boot id, sequence) identifies a message. Thread-safe.</summary>
public sealed class MessageSequence
{
    private long _last;

    /// <summary>1, 2, 3, …</summary>
    public long Next() => Interlocked.Increment(ref _last);
}
