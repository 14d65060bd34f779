using System.Buffers.Binary;

namespace Dunlin.Runtime.Tests.Cameras;

/// <summary>Bytes with the marker structure of a JPEG image (stuffing, restarts, several scans, a thumbnail); not decodable.</summary>
internal static class TinyJpeg
{
    public static byte[] Make(int scanLength, int seed, byte[]? thumbnail = null, int scans = 1)
    {
        var random = new Random(seed);
        List<byte> bytes = [0xFF, 0xD8];
        if (thumbnail is not null) Segment(bytes, 0xE1, [.. "Exif\0\0"u8, .. thumbnail]);
        Segment(bytes, 0xDB, new byte[65]);
        Segment(bytes, scans == 1 ? (byte)0xC0 : (byte)0xC2, [8, 0, 16, 0, 16, 1, 1, 0x11, 0]);
        for (var scan = 0; scan < scans; scan++)
        {
            Segment(bytes, 0xC4, new byte[20]);
            Segment(bytes, 0xDA, [1, 1, 0, 0, 63, 0]);
            for (var index = 0; index < scanLength / scans; index++)
            {
                var value = (byte)random.Next(256);
                bytes.Add(value);
                if (value == 0xFF) bytes.Add(0);
                if (index % 50 == 49) bytes.AddRange([0xFF, (byte)(0xD0 + index / 50 % 8)]);
            }
        }

        bytes.AddRange([0xFF, 0xD9]);
        return [.. bytes];
    }

    private static void Segment(List<byte> bytes, byte code, byte[] payload)
    {
        Span<byte> head = [0xFF, code, 0, 0];
        BinaryPrimitives.WriteUInt16BigEndian(head[2..], (ushort)(payload.Length + 2));
        bytes.AddRange(head);
        bytes.AddRange(payload);
    }
}
