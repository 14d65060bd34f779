using System.Buffers.Binary;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Telemetry.Outbox;

/// <summary>
/// Where delivery stands and how much was dropped, in the file <c>cursor</c>: two slots written in turn, so that a torn
/// write leaves the other. A lost newest write means duplicates, which the outbox allows.
/// </summary>
internal sealed class Cursor(string path) : IDisposable
{
    private const int SlotByteCount = 64;
    private SafeFileHandle? _file;
    private ulong _generation;

    /// <summary>Reads what was saved; what was dropped before this is added to it.</summary>
    /// <exception cref="IOException">The disk takes no writes.</exception>
    public void Open()
    {
        _file = File.OpenHandle(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
        var dropped = DroppedCount;
        Span<byte> slot = stackalloc byte[SlotByteCount];
        for (var i = 0; i < 2; i++)
        {
            if (RandomAccess.Read(_file, slot, i * SlotByteCount) < SlotByteCount) continue;
            if (Checksum(slot) != BinaryPrimitives.ReadUInt32LittleEndian(slot[32..])) continue;
            var generation = BinaryPrimitives.ReadUInt64LittleEndian(slot);
            if (generation <= _generation) continue;
            _generation = generation;
            Segment = BinaryPrimitives.ReadInt64LittleEndian(slot[8..]);
            Offset = BinaryPrimitives.ReadInt64LittleEndian(slot[16..]);
            DroppedCount = dropped + BinaryPrimitives.ReadInt64LittleEndian(slot[24..]);
        }
    }

    /// <summary>The segment of the next record to deliver; 0: none yet.</summary>
    public long Segment { get; private set; }

    public long Offset { get; private set; }

    /// <summary>Records dropped since the outbox was made.</summary>
    public long DroppedCount { get; private set; }

    public void MoveTo(long segment, long offset) => (Segment, Offset) = (segment, offset);

    public void Drop(long count) => DroppedCount += count;

    /// <exception cref="IOException">The disk does not take it; the values in memory hold.</exception>
    public void Save()
    {
        if (_file is null) throw new IOException($"'{path}' is not open yet.");
        Span<byte> slot = stackalloc byte[SlotByteCount];
        slot.Clear();
        var generation = _generation + 1;
        BinaryPrimitives.WriteUInt64LittleEndian(slot, generation);
        BinaryPrimitives.WriteInt64LittleEndian(slot[8..], Segment);
        BinaryPrimitives.WriteInt64LittleEndian(slot[16..], Offset);
        BinaryPrimitives.WriteInt64LittleEndian(slot[24..], DroppedCount);
        BinaryPrimitives.WriteUInt32LittleEndian(slot[32..], Checksum(slot));
        RandomAccess.Write(_file, slot, (long)(generation % 2) * SlotByteCount);
        _generation = generation;
    }

    public void Dispose() => _file?.Dispose();

    private static uint Checksum(ReadOnlySpan<byte> slot)
    {
        var crc = ~0u;
        for (var i = 0; i < 32; i += 8) crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(slot[i..]));
        return ~crc;
    }
}
