namespace Dunlin.Runtime.Preprocessing;

/// <summary>One Huffman table of a JPEG (ITU-T T.81 annex C).</summary>
internal sealed class HuffmanTable
{
    private const int LongestCode = 16, ShortCode = 8;

    /// <summary>By length: sixteen bits below it begin with a code so long, unless with a shorter one.</summary>
    private readonly int[] _limits = new int[LongestCode + 1];
    private readonly int[] _offsets = new int[LongestCode + 1];
    private readonly byte[] _symbols = new byte[256];

    /// <summary>By the next eight bits: length × 256 + symbol; 0 where the code is longer, or none.</summary>
    private readonly ushort[] _short = new ushort[1 << ShortCode];

    /// <param name="counts">Of the codes of 1 to 16 bits.</param>
    /// <param name="symbols">At most 256, in the order of their codes.</param>
    /// <returns>False if there are more codes than bits for them.</returns>
    public bool TryDefine(ReadOnlySpan<byte> counts, ReadOnlySpan<byte> symbols)
    {
        symbols.CopyTo(_symbols);
        Array.Clear(_short);
        var (code, at) = (0, 0);
        for (var length = 1; length <= LongestCode; length++)
        {
            code <<= 1;
            _offsets[length] = at - code;
            for (var count = counts[length - 1]; count > 0; count--, code++, at++)
            {
                if (code >= 1 << length) return false;
                if (length <= ShortCode) _short.AsSpan(code << (ShortCode - length), 1 << (ShortCode - length)).Fill((ushort)(length << 8 | _symbols[at]));
            }

            _limits[length] = code << (LongestCode - length);
        }

        return true;
    }

    /// <param name="bits">The next sixteen.</param>
    /// <returns>A symbol and the length of its code in bits; 0 for that if the bits begin with no code.</returns>
    public (int Symbol, int Length) Decode(int bits)
    {
        var known = _short[bits >> (LongestCode - ShortCode)];
        if (known != 0) return (known & 0xFF, known >> 8);
        for (var length = ShortCode + 1; length <= LongestCode; length++)
            if (bits < _limits[length]) return (_symbols[_offsets[length] + (bits >> (LongestCode - length))], length);
        return default;
    }
}
