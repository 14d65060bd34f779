namespace Dunlin.Telemetry.Outbox;

/// <summary>What the queue does when it has no room.</summary>
internal enum Overflow
{
    /// <summary>Telemetry: the oldest segment goes, and is counted.</summary>
    DropOldest = 1,

    /// <summary>Outcomes: kept in memory until the disk takes them.</summary>
    Keep = 2,
}
