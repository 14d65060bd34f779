namespace Dunlin.Runtime.Preprocessing;

/// <summary>The entropy-coded bits of a JPEG up to the next marker (ITU-T T.81 §F.2.2.5), and the markers between them.</summary>
internal ref struct JpegBits(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;
    private int _at;
    private ulong _bits;
    private int _count;

    /// <summary>False if what comes is no code of the table, or the data end in it.</summary>
    public bool TryRead(HuffmanTable table, out int symbol)
    {
        if (_count < 16) Fill();
        var next = _count >= 16 ? _bits >> (_count - 16) : _bits << (16 - _count);
        (symbol, var length) = table.Decode((int)(next & 0xFFFF));
        _count -= length;
        return length > 0 && _count >= 0;
    }

    /// <summary>False if there are not so many before the next marker.</summary>
    public bool TrySkip(int count)
    {
        if (_count < count) Fill();
        _count -= count;
        return _count >= 0;
    }

    /// <summary>Goes behind the next marker; bits that do not fill a byte are none.</summary>
    /// <param name="skippedByteCount">Whole bytes before it, which nobody has read.</param>
    /// <param name="marker">The byte behind 0xFF.</param>
    /// <returns>False if there is none.</returns>
    public bool TryReadMarker(out int skippedByteCount, out byte marker)
    {
        (skippedByteCount, marker) = (_count / 8, 0);
        (_bits, _count) = (0, 0);
        while (_at + 1 < _data.Length)
        {
            // 0xFF before 0xFF fills up and is no data; before 0 it is a byte of them.
            var isData = _data[_at] != 0xFF || _data[_at + 1] == 0;
            if (!isData && _data[_at + 1] != 0xFF)
            {
                marker = _data[_at + 1];
                _at += 2;
                return true;
            }

            if (isData) skippedByteCount++;
            _at += _data[_at] == 0xFF && isData ? 2 : 1;
        }

        return false;
    }

    private void Fill()
    {
        while (_count <= 56 && _at < _data.Length)
        {
            var next = _data[_at];
            if (next == 0xFF && (_at + 1 == _data.Length || _data[_at + 1] != 0)) return;
            _at += next == 0xFF ? 2 : 1;
            _bits = _bits << 8 | next;
            _count += 8;
        }
    }
}
