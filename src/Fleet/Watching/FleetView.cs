using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;

namespace Dunlin.Fleet.Watching;

/// <summary>All devices of a fleet, as their messages tell. Thread-safe; nothing that a device sends throws.</summary>
internal sealed class FleetView(string fleet, TimeProvider time)
{
    private const int MaximumDeviceCount = 100_000;
    private readonly ConcurrentDictionary<string, DeviceView> _devices = new();
    private readonly string _prefix = $"{Topics.Prefix}/{fleet}/";
    private long _garbage;

    public string Fleet => fleet;
    public long GarbageCount => Volatile.Read(ref _garbage);
    public IReadOnlyList<DeviceView> Devices => [.. _devices.Values.OrderBy(device => device.Device, StringComparer.Ordinal)];

    public TimeSpan Silence(DeviceView device) => time.GetElapsedTime(device.LastSeen);

    /// <summary>A message that was taken could not be shown.</summary>
    public void CountGarbage() => Interlocked.Increment(ref _garbage);

    /// <summary>Takes a message; the device that it changed, or null for garbage and for what is not shown.</summary>
    public DeviceView? Apply(string topic, ReadOnlySpan<byte> payload)
    {
        if (!topic.StartsWith(_prefix, StringComparison.Ordinal)) return null;
        var parts = topic[_prefix.Length..].Split('/');
        if (parts.Length != 2 || payload.IsEmpty) return null;
        if (!DeviceName.IsValid(parts[0]) || (_devices.Count >= MaximumDeviceCount && !_devices.ContainsKey(parts[0]))) return Garbage();
        var device = _devices.GetValueOrDefault(parts[0]) ?? new DeviceView(parts[0]);
        try
        {
            var changed = parts[1] switch
            {
                "status" => device with { Status = Read(payload, MessageJson.Default.DeviceStatus) },
                "reported" => device with { Reported = Soundness.Check(Read(payload, MessageJson.Default.Reported)) },
                "race" => device with { Verdict = Read(payload, MessageJson.Default.Verdict) },
                "telemetry" => device with { Window = Newest(device.Window, Soundness.Check(Read(payload, MessageJson.Default.TelemetryWindow))) },
                "result" => device with { Result = Soundness.Check(Read(payload, MessageJson.Default.Classification)) },
                _ => null,
            };
            return changed is null ? null : _devices[parts[0]] = changed with { LastSeen = time.GetTimestamp() };
        }
        catch (JsonException)
        {
            return Garbage();
        }
    }

    /// <summary>A backlog from the outbox is older than what is shown.</summary>
    private static TelemetryWindow Newest(TelemetryWindow? old, TelemetryWindow window) =>
        old is not null && old.BootId == window.BootId && old.Sequence > window.Sequence ? old : window;

    private static T Read<T>(ReadOnlySpan<byte> payload, JsonTypeInfo<T> type) =>
        JsonSerializer.Deserialize(payload, type) ?? throw new JsonException("null");

    private DeviceView? Garbage()
    {
        CountGarbage();
        return null;
    }
}
