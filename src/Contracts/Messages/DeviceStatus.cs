using System.Text.Json.Serialization;

namespace Dunlin.Contracts.Messages;

/// <summary>Topic <c>status</c>, retained; also the will.</summary>
public sealed record DeviceStatus
{
    public const string CurrentSchema = "dunlin.status.v1";

    public required string Schema { get; init; }
    public required DeviceState State { get; init; }

    /// <summary>One per start of the agent; with a sequence it identifies a message.</summary>
    public required string BootId { get; init; }

    public required string AgentVersion { get; init; }
    public required Hardware Hardware { get; init; }

    /// <summary>Device wall time; null in the will.</summary>
    public DateTimeOffset? Time { get; init; }
}

public enum DeviceState
{
    [JsonStringEnumMemberName("online")] Online = 1,
    [JsonStringEnumMemberName("offline")] Offline = 2,

    /// <summary>Stopped by a person.</summary>
    [JsonStringEnumMemberName("stopped")] Stopped = 3,
}

public sealed record Hardware
{
    /// <summary>For example <c>Raspberry Pi 5 Model B Rev 1.0</c>; the CPU model where no board name is known.</summary>
    public required string Model { get; init; }

    public required string CpuModel { get; init; }

    /// <summary><c>x64</c> or <c>arm64</c>.</summary>
    public required string Architecture { get; init; }

    public required int Cores { get; init; }
    public required long MemoryByteCount { get; init; }
    public required string Kernel { get; init; }
    public required string OperatingSystem { get; init; }
}
