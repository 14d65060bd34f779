namespace Dunlin.Contracts.Messages;

/// <summary>Null where the board shows nothing.</summary>
public sealed record ThermalWindow
{
    /// <summary>The hottest CPU zone at the window's end.</summary>
    public double? Celsius { get; init; }

    /// <summary>Whether the clock was held down at any time in the window.</summary>
    public bool? Throttled { get; init; }

    /// <summary>What holds it down: <c>thermal</c>, <c>under-voltage</c>, <c>frequency-capped</c>.</summary>
    public string? ThrottleReason { get; init; }

    /// <summary>Mean over the cores at the window's end.</summary>
    public double? CpuMegahertz { get; init; }
}

/// <summary>The battery that a board runs on, as Linux tells of it; of several the fullest.</summary>
public sealed record BatteryState
{
    /// <summary>Of its capacity, 0…100; null where it only tells whether it is low.</summary>
    public int? Percent { get; init; }

    public required bool Discharging { get; init; }

    /// <summary>It is nearly empty and not charged: energy must be saved.</summary>
    public required bool Low { get; init; }
}

/// <summary>Proportional set size (PSS) in bytes; null where unreadable.</summary>
public sealed record MemoryUse
{
    public long? SupervisorByteCount { get; init; }
    public long? WorkerByteCount { get; init; }

    /// <summary>The board's memory that is still available.</summary>
    public long? AvailableByteCount { get; init; }
}

public sealed record OutboxCounts
{
    /// <summary>Telemetry messages waiting on disk.</summary>
    public required long Queued { get; init; }

    /// <summary>
    /// Telemetry messages dropped since the agent was installed: the oldest because the outbox was full, others because it could
    /// not be written or read, they were too large for it, or the broker refused them.
    /// </summary>
    public required long Dropped { get; init; }
}
