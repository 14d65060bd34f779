using System.Buffers.Binary;

namespace Dunlin.Runtime.Preprocessing;

/// <summary>
/// Whether the data of a sequential JPEG of one scan are all there (ITU-T T.81 §F.2.2): each interval holds its blocks and
/// ends a few bytes before its marker at most, and the markers come in their order. Nothing is decoded but lengths, and
/// nothing allocated from the second image on.
/// </summary>
internal sealed unsafe class JpegScan
{
    /// <summary>What cameras put before a marker; after a gap there is more.</summary>
    private const int MostPadding = 8;
    private const int MostBlocks = 10, MostTables = 4;
    private const byte FirstRestart = 0xD0, EndOfImage = 0xD9;

    /// <summary>An image with the tables that are meant where a camera leaves them out (§K.3), which our encoder writes.</summary>
    private static readonly Lazy<byte[]> Standard = new(() =>
    {
        var pixels = stackalloc byte[8 * 8 * 3];
        var picture = new Picture { Shape = new PictureShape(PixelLayout.Rgb, Packing.Rgb24, 8, 8, 8, 1, 1), Plane0 = pixels, Stride0 = 8 * 3 };
        return JpegEncoder.Encode(picture, quality: 75);
    });

    private readonly HuffmanTable[] _tables = [.. Enumerable.Range(0, 2 * MostTables).Select(_ => new HuffmanTable())];
    private readonly HuffmanTable[] _ofDc = new HuffmanTable[MostBlocks], _ofAc = new HuffmanTable[MostBlocks];
    private int _blockCount;
    private int _interval;

    /// <param name="jpeg">Its header was read by <see cref="JpegHeader"/>, and says that it is of one scan.</param>
    public bool IsWhole(ReadOnlySpan<byte> jpeg)
    {
        _interval = 0;
        var hasTables = false;
        var frame = default(ReadOnlySpan<byte>);
        var segments = new JpegSegments(jpeg);
        while (segments.TryRead(out var marker, out var content))
        {
            switch (marker)
            {
                case 0xC0 or 0xC1:
                    frame = content;
                    break;
                case 0xC4:
                    hasTables = true;
                    if (!TryReadTables(content)) return false;
                    break;
                case 0xDD when content.Length == 2:
                    _interval = BinaryPrimitives.ReadUInt16BigEndian(content);
                    break;
                case JpegSegments.StartOfScan:
                    if (!hasTables) ReadStandardTables();
                    return TryPlan(frame, content, out var unitCount) && IsWhole(new JpegBits(jpeg[segments.Position..]), unitCount);
            }
        }

        return false;
    }

    private bool IsWhole(JpegBits bits, int unitCount)
    {
        for (var restart = 0; ; restart = (restart + 1) % 8)
        {
            var units = _interval == 0 ? unitCount : Math.Min(_interval, unitCount);
            unitCount -= units;
            for (; units > 0; units--)
                for (var block = 0; block < _blockCount; block++)
                    if (!TrySkipBlock(ref bits, _ofDc[block], _ofAc[block])) return false;
            if (!bits.TryReadMarker(out var padding, out var marker) || padding > MostPadding) return false;
            if (marker == EndOfImage) return unitCount == 0;
            if (marker != FirstRestart + restart) return false;
        }
    }

    private static bool TrySkipBlock(ref JpegBits bits, HuffmanTable ofDc, HuffmanTable ofAc)
    {
        if (!bits.TryRead(ofDc, out var size) || size > 15 || !bits.TrySkip(size)) return false;
        for (var at = 1; at < 64; at++)
        {
            if (!bits.TryRead(ofAc, out var symbol)) return false;
            var (zeros, length) = (symbol >> 4, symbol & 15);
            if (length == 0 && zeros != 15) return true;
            at += zeros;
            if (at > 63 || !bits.TrySkip(length)) return false;
        }

        return true;
    }

    /// <summary>Which tables the blocks of a unit have, one after the other, and how many units there are (§A.2).</summary>
    private bool TryPlan(ReadOnlySpan<byte> frame, ReadOnlySpan<byte> scan, out int unitCount)
    {
        unitCount = 0;
        if (frame.Length < 6 || frame.Length != 6 + 3 * frame[5] || scan.Length < 1 + 2 * frame[5]) return false;
        var (widest, tallest) = (1, 1);
        _blockCount = 0;
        for (var component = 0; component < frame[5]; component++)
        {
            var (sampling, selected) = (frame[7 + 3 * component], scan[2 + 2 * component]);
            var (across, down) = frame[5] == 1 ? (1, 1) : (sampling >> 4, sampling & 15);
            if (scan[1 + 2 * component] != frame[6 + 3 * component] || across * down == 0 || _blockCount + across * down > MostBlocks
                || selected >> 4 >= MostTables || (selected & 15) >= MostTables) return false;
            (widest, tallest) = (Math.Max(widest, across), Math.Max(tallest, down));
            for (var block = across * down; block > 0; block--)
                (_ofDc[_blockCount], _ofAc[_blockCount++]) = (_tables[selected >> 4], _tables[MostTables + (selected & 15)]);
        }

        int Units(int length, int sampling) => (length + 8 * sampling - 1) / (8 * sampling);
        unitCount = Units(BinaryPrimitives.ReadUInt16BigEndian(frame[3..]), widest) * Units(BinaryPrimitives.ReadUInt16BigEndian(frame[1..]), tallest);
        return true;
    }

    private bool TryReadTables(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            if (content.Length < 17 || (content[0] & 0xEC) != 0) return false;
            var (kind, count) = (content[0], 0);
            var counts = content.Slice(1, 16);
            foreach (var one in counts) count += one;
            if (count > 256 || content.Length < 17 + count) return false;
            if (!_tables[(kind >> 4) * MostTables + (kind & 3)].TryDefine(counts, content.Slice(17, count))) return false;
            content = content[(17 + count)..];
        }

        return true;
    }

    private void ReadStandardTables()
    {
        var segments = new JpegSegments(Standard.Value);
        while (segments.TryRead(out var marker, out var content))
            if (marker == 0xC4) _ = TryReadTables(content);
    }
}
