using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Updates;

namespace Dunlin.TestKit.State;

/// <summary>An outcome in the outbox of a state directory.</summary>
/// <param name="Outcome">As it was or will be published.</param>
/// <param name="IsAcknowledged">The broker has it, and the device knows.</param>
public sealed record StoredOutcome(Outcome Outcome, bool IsAcknowledged);

/// <summary>
/// Reads the outcomes out of a state directory whose agent does not run, without changing a byte of it, by the format alone:
/// segments of (u32 length, u32 CRC-32C of length and payload, payload), and a cursor of two slots of which the newer counts.
/// </summary>
public static class OutboxFiles
{
    private const int HeaderLength = 8;
    private const int SlotLength = 64;

    /// <summary>In their order, with those that were acknowledged and not yet removed.</summary>
    public static IReadOnlyList<StoredOutcome> Read(string folder)
    {
        var outcomes = new StateLayout(folder).Outcomes;
        if (!Directory.Exists(outcomes)) return [];
        var (segment, offset) = CursorOf(Path.Combine(outcomes, "cursor"));
        var found = new List<StoredOutcome>();
        foreach (var path in Directory.EnumerateFiles(outcomes, "*.seg").Order(StringComparer.Ordinal))
        {
            var number = long.Parse(Path.GetFileNameWithoutExtension(path), CultureInfo.InvariantCulture);
            var bytes = File.ReadAllBytes(path);
            for (var at = 0; PayloadAt(bytes, at) is { } payload; at += HeaderLength + payload.Length)
                found.Add(new StoredOutcome(JsonSerializer.Deserialize(payload, MessageJson.Default.Outcome)!, number < segment || (number == segment && at < offset)));
        }

        return found;
    }

    /// <summary>Sequence numbers of the telemetry of one boot on disk, in their order, with what was acknowledged and not yet removed; also while the agent writes.</summary>
    public static IReadOnlyList<long> ReadTelemetry(string folder, string boot)
    {
        var found = new List<long>();
        foreach (var path in Directory.EnumerateFiles(new StateLayout(folder).Telemetry, "*.seg").Order(StringComparer.Ordinal))
        {
            var bytes = File.ReadAllBytes(path);
            for (var at = 0; PayloadAt(bytes, at) is { } payload; at += HeaderLength + payload.Length)
                if (JsonElement.Parse(payload) is var window && window.GetProperty("bootId").GetString() == boot) found.Add(window.GetProperty("sequence").GetInt64());
        }

        return found;
    }

    private static byte[]? PayloadAt(byte[] bytes, int at)
    {
        if (bytes.Length - at < HeaderLength) return null;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));
        if (length < 0 || length > bytes.Length - at - HeaderLength) return null;
        var payload = bytes.AsSpan(at + HeaderLength, length);
        var crc = BitOperations.Crc32C(~0u, (uint)length);
        foreach (var value in payload) crc = BitOperations.Crc32C(crc, value);
        return ~crc == BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(at + 4)) ? payload.ToArray() : null;
    }

    private static (long Segment, long Offset) CursorOf(string path)
    {
        var bytes = File.Exists(path) ? File.ReadAllBytes(path) : [];
        (ulong Generation, long Segment, long Offset) newest = default;
        for (var at = 0; at + SlotLength <= bytes.Length; at += SlotLength)
        {
            var slot = bytes.AsSpan(at, SlotLength);
            var crc = ~0u;
            for (var i = 0; i < 32; i += 8) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(slot[i..]));
            var generation = BinaryPrimitives.ReadUInt64LittleEndian(slot);
            if (~crc != BinaryPrimitives.ReadUInt32LittleEndian(slot[32..]) || generation <= newest.Generation) continue;
            newest = (generation, BinaryPrimitives.ReadInt64LittleEndian(slot[8..]), BinaryPrimitives.ReadInt64LittleEndian(slot[16..]));
        }

        return (newest.Segment, newest.Offset);
    }
}
