using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Telemetry.Outbox;

/// <summary>
/// One file of records: u32 length, u32 CRC-32C of length and payload, payload; little-endian. A record that does not check
/// ends the file: what follows it was torn by a crash.
/// </summary>
internal sealed class Segment : IDisposable
{
    public const int HeaderByteCount = 8;
    public const int MaximumPayloadByteCount = 1024 * 1024;

    private readonly SafeFileHandle _file;

    private Segment(string path, long number, SafeFileHandle file) => (Path, Number, _file) = (path, number, file);

    public string Path { get; }
    public long Number { get; }

    /// <summary>Bytes of whole records.</summary>
    public long ByteCount { get; private set; }

    public long RecordCount { get; private set; }

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
        while (segment.Read(segment.ByteCount) is { } payload)
        {
            segment.ByteCount += HeaderByteCount + payload.Length;
            segment.RecordCount++;
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

        ByteCount += record.Length;
        RecordCount++;
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

    private byte[]? ReadRecord(long offset)
    {
        var header = new byte[HeaderByteCount];
        if (RandomAccess.Read(_file, header, offset) < HeaderByteCount) return null;
        var length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        if (length > MaximumPayloadByteCount) return null;
        var record = new byte[HeaderByteCount + length];
        if (RandomAccess.Read(_file, record, offset) < record.Length) return null;
        return Checksum(record) == BinaryPrimitives.ReadUInt32LittleEndian(record.AsSpan(4)) ? record[HeaderByteCount..] : null;
    }
}
