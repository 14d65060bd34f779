using System.Buffers.Binary;
using System.Text;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// Marks a symbol version that a 64-bit ELF library demands as weak, so that the loader goes on without it
/// (System V ABI, symbol versioning: <c>VER_FLG_WEAK</c> of the <c>Vernaux</c> entry).
/// </summary>
internal static class VersionRequirement
{
    private const int ProgramHeaderSize = 56, PtLoad = 1, PtDynamic = 2;
    private const ulong StringTable = 5, VersionNeeded = 0x6ffffffe, VersionNeededCount = 0x6fffffff;
    private const ushort WeakFlag = 2;

    /// <summary>Weakens every demand for this version; returns how many there were.</summary>
    /// <exception cref="InvalidDataException">The bytes are no little-endian 64-bit ELF file with version needs.</exception>
    public static int Weaken(Span<byte> library, string version)
    {
        if (library.Length < 64 || !library[..6].SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw new InvalidDataException("The library is not a little-endian 64-bit ELF file.");

        var segments = Segments(library);
        var dynamic = Dynamic(library, segments);
        if (!dynamic.TryGetValue(VersionNeeded, out var needs)) return 0;
        var strings = Offset(segments, dynamic[StringTable]);
        var weakened = 0;
        var need = Offset(segments, needs);
        for (var i = 0UL; i < dynamic[VersionNeededCount]; i++)
        {
            var entry = need + (int)U32(library, need + 8);
            for (var j = 0; j < U16(library, need + 2); j++)
            {
                if (NameAt(library, strings + (int)U32(library, entry + 8)) == version)
                {
                    var flags = library.Slice(entry + 4, 2);
                    BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(U16(library, entry + 4) | WeakFlag));
                    weakened++;
                }

                entry += (int)U32(library, entry + 12);
            }

            need += (int)U32(library, need + 12);
        }

        return weakened;
    }

    private static List<(uint Type, ulong Offset, ulong Address, ulong Size)> Segments(ReadOnlySpan<byte> library)
    {
        var segments = new List<(uint, ulong, ulong, ulong)>();
        var at = (int)U64(library, 32);
        for (var i = 0; i < U16(library, 56); i++, at += ProgramHeaderSize)
            segments.Add((U32(library, at), U64(library, at + 8), U64(library, at + 16), U64(library, at + 32)));
        return segments;
    }

    private static Dictionary<ulong, ulong> Dynamic(ReadOnlySpan<byte> library, List<(uint Type, ulong Offset, ulong Address, ulong Size)> segments)
    {
        var table = new Dictionary<ulong, ulong>();
        var dynamic = segments.Find(s => s.Type == PtDynamic);
        for (var at = (int)dynamic.Offset; at < (int)(dynamic.Offset + dynamic.Size); at += 16)
            table.TryAdd(U64(library, at), U64(library, at + 8));
        return table;
    }

    private static int Offset(List<(uint Type, ulong Offset, ulong Address, ulong Size)> segments, ulong address)
    {
        foreach (var s in segments)
            if (s.Type == PtLoad && address >= s.Address && address < s.Address + s.Size)
                return (int)(address - s.Address + s.Offset);
        throw new InvalidDataException($"The library's dynamic section points outside of it, at 0x{address:x}.");
    }

    private static string NameAt(ReadOnlySpan<byte> library, int offset)
    {
        var rest = library[offset..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private static ushort U16(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(bytes[at..]);
    private static uint U32(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt32LittleEndian(bytes[at..]);
    private static ulong U64(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);
}
