using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Telemetry.Outbox;

/// <summary>
/// One file of records: u32 length, u32 CRC-32C of length and payload, payload; little-endian. Records that do not check are
/// passed over if a whole one follows; behind the last whole one lies what a crash has torn.
/// </summary>
internal sealed class Segment : IDisposable
{
    public const int HeaderByteCount = 8;
    public const int MaximumPayloadByteCount = 1024 * 1024;

    /// <summary>More than a segment of ours has: one is begun anew at <see cref="MaximumPayloadByteCount"/> at the latest.</summary>
    private const int MaximumScannedByteCount = 2 * (MaximumPayloadByteCount + HeaderByteCount);

    /// <summary>What a disk gives or does not give.</summary>
    private const int SectorByteCount = 4096;

    private readonly SafeFileHandle _file;
    private readonly List<int> _starts = [];

    private Segment(string path, long number, SafeFileHandle file) => (Path, Number, _file) = (path, number, file);

    public string Path { get; }
    public long Number { get; }

    /// <summary>Bytes to the end of the last whole record.</summary>
    public long ByteCount { get; private set; }

    public long RecordCount => _starts.Count;

    public static string PathOf(string directory, long number) =>
        System.IO.Path.Combine(directory, number.ToString("D4", CultureInfo.InvariantCulture) + ".seg");

    /// <summary>What lies in a directory, oldest first.</summary>
    public static IEnumerable<(long Number, string Path)> Find(string directory)
    {
        var found = new List<(long, string)>();
        foreach (var path in Directory.EnumerateFiles(directory, "*.seg"))
        {
            if (long.TryParse(System.IO.Path.GetFileNameWithoutExtension(path), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                found.Add((number, path));
        }

        return found.Order();
    }

    public static Segment Create(string directory, long number)
    {
        var path = PathOf(directory, number);
        return new Segment(path, number, File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Read));
    }

    /// <summary>Reads it all and cuts a torn tail off.</summary>
    public static Segment Open(string path, long number)
    {
        var segment = new Segment(path, number, File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.Read));
        for (long? at = 0; at is { } start;)
        {
            if (segment.Read(start) is { } payload)
            {
                segment.Add((int)start, payload.Length);
                at = segment.ByteCount;
            }
            else
            {
                at = segment.FindAfter(start);
            }
        }

        if (RandomAccess.GetLength(segment._file) > segment.ByteCount) RandomAccess.SetLength(segment._file, segment.ByteCount);
        return segment;
    }

    /// <exception cref="IOException">Nothing of it stays, or the segment ends before it.</exception>
    public void Append(ReadOnlySpan<byte> payload, bool durably)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, MaximumPayloadByteCount);
        var record = new byte[HeaderByteCount + payload.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)payload.Length);
        payload.CopyTo(record.AsSpan(HeaderByteCount));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), Checksum(record));
        try
        {
            RandomAccess.Write(_file, record, ByteCount);
            if (durably) DurableDirectory.Sync(_file);
        }
        catch (IOException)
        {
            RandomAccess.SetLength(_file, ByteCount);
            throw;
        }

        Add((int)ByteCount, payload.Length);
    }

    /// <summary>Where the first record at or behind an offset begins; null if there is none. It may have rotted since it was found.</summary>
    public long? Next(long offset)
    {
        var index = CountBefore(offset);
        return index < _starts.Count ? _starts[index] : null;
    }

    /// <summary>Records that begin before an offset.</summary>
    public int CountBefore(long offset)
    {
        var index = _starts.BinarySearch((int)Math.Min(offset, int.MaxValue));
        return index < 0 ? ~index : index;
    }

    /// <summary>The payload of the record at an offset; null at the end, or where it does not check or the disk does not give it.</summary>
    public byte[]? Read(long offset)
    {
        try
        {
            return ReadRecord(offset);
        }
        catch (IOException)
        {
            // A bad sector costs the same as bad bytes.
            return null;
        }
    }

    public void Sync() => DurableDirectory.Sync(_file);

    public void Delete()
    {
        Dispose();
        File.Delete(Path);
    }

    public void Dispose() => _file.Dispose();

    internal static uint Checksum(ReadOnlySpan<byte> record)
    {
        var crc = BitOperations.Crc32C(~0u, BinaryPrimitives.ReadUInt32LittleEndian(record));
        foreach (var value in record[HeaderByteCount..]) crc = BitOperations.Crc32C(crc, value);
        return ~crc;
    }

    private void Add(int start, int payloadLength)
    {
        _starts.Add(start);
        ByteCount = start + HeaderByteCount + payloadLength;
    }

    /// <summary>Where a whole record begins behind one that is not whole; null if what follows was torn.</summary>
    private long? FindAfter(long offset)
    {
        var rest = new byte[Math.Min(RandomAccess.GetLength(_file) - offset, MaximumScannedByteCount)];
        for (int at = 0, count; at < rest.Length; at += count)
        {
            count = Math.Min(SectorByteCount - (int)((offset + at) % SectorByteCount), rest.Length - at);
            TryRead(rest.AsSpan(at, count), offset + at);
        }

        for (var at = 1; at + HeaderByteCount <= rest.Length; at++)
        {
            var length = BinaryPrimitives.ReadUInt32LittleEndian(rest.AsSpan(at));
            if (length <= MaximumPayloadByteCount && at + HeaderByteCount + length <= rest.Length && IsWhole(rest.AsSpan(at, HeaderByteCount + (int)length))) return offset + at;
        }

        return null;
    }

    /// <summary>Zeros, of which no record is made, where the disk does not give it.</summary>
    private void TryRead(Span<byte> bytes, long offset)
    {
        try
        {
            RandomAccess.Read(_file, bytes, offset);
        }
        catch (IOException)
        {
            bytes.Clear();
        }
    }

    private static bool IsWhole(ReadOnlySpan<byte> record) => Checksum(record) == BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);

    private byte[]? ReadRecord(long offset)
    {
        var header = new byte[HeaderByteCount];
        if (RandomAccess.Read(_file, header, offset) < HeaderByteCount) return null;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (length > MaximumPayloadByteCount) return null;
        var record = new byte[HeaderByteCount + length];
        if (RandomAccess.Read(_file, record, offset) < record.Length) return null;
        return IsWhole(record) ? record[HeaderByteCount..] : null;
    }
}
