using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Messages;

namespace Dunlin.Bundles.Golden;

/// <summary>The bytes of a golden set; the layout is documented at <see cref="GoldenSet"/> and in docs/schemas/golden.md.</summary>
internal static class GoldenFormat
{
    private const int MaximumSide = 4096;
    private const int MaximumVariantCount = 64;

    internal static long ByteCount(GoldenShape shape, int variants) =>
        GoldenSet.HeaderByteCount + ((long)shape.Count * shape.Height * shape.Width * shape.Channels)
        + (2L * shape.Count) + (variants * (GoldenSet.VariantIdByteCount + (2L * shape.Count)));

    internal static GoldenSet Read(string path, byte[] bytes)
    {
        if (bytes.Length < GoldenSet.HeaderByteCount) throw Bad(path, $"has {bytes.Length} bytes, and its header alone has {GoldenSet.HeaderByteCount}");
        if (!bytes.AsSpan().StartsWith(GoldenSet.Magic)) throw Bad(path, "does not begin with DNLNGOLD");
        var version = U32(bytes, 0);
        if (version != GoldenSet.FormatVersion) throw Bad(path, $"has format version {version}, and this program reads {GoldenSet.FormatVersion}");
        uint count = U32(bytes, 1), height = U32(bytes, 2), width = U32(bytes, 3), channels = U32(bytes, 4), variants = U32(bytes, 5);
        if (count is 0 or > (uint)GoldenSpec.MaximumByteCount || height is 0 or > MaximumSide || width is 0 or > MaximumSide || channels is not (1 or 3) || variants > MaximumVariantCount)
            throw Bad(path, $"claims {count} images of {height}×{width}×{channels} with {variants} variants, which is out of range");
        var shape = new GoldenShape((int)count, (int)height, (int)width, (int)channels);
        var expected = ByteCount(shape, (int)variants);
        if (bytes.Length != expected) throw Bad(path, string.Create(CultureInfo.InvariantCulture, $"has {bytes.Length} bytes, and {count} images of {height}×{width}×{channels} with {variants} variants take {expected}"));
        return new GoldenSet(bytes, shape, Ids(path, bytes, shape, (int)variants));
    }

    internal static byte[] Write(GoldenContent content)
    {
        var shape = content.Shape;
        var size = ByteCount(shape, content.Predictions.Count);
        Require(shape.Count > 0 && shape.Height is > 0 and <= MaximumSide && shape.Width is > 0 and <= MaximumSide && shape.Channels is 1 or 3, $"A golden set of {shape} cannot be: sides are 1…{MaximumSide}, channels 1 or 3.");
        Require(size <= GoldenSpec.MaximumByteCount, $"A golden set of {shape} has {size} bytes, and may have {GoldenSpec.MaximumByteCount}; take fewer images.");
        Require(content.Pixels.Length == (long)shape.Count * shape.ImageByteCount, $"The golden set has {content.Pixels.Length} bytes of pixels, and {shape} takes {(long)shape.Count * shape.ImageByteCount}.");
        Require(content.Predictions.Count <= MaximumVariantCount, $"The golden set has predictions of {content.Predictions.Count} variants, and may have {MaximumVariantCount}.");
        var bytes = new byte[size];
        GoldenSet.Magic.CopyTo(bytes, 0);
        ReadOnlySpan<int> header = [GoldenSet.FormatVersion, shape.Count, shape.Height, shape.Width, shape.Channels, content.Predictions.Count];
        for (var i = 0; i < header.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(8 + (4 * i)), header[i]);
        content.Pixels.Span.CopyTo(bytes.AsSpan(GoldenSet.HeaderByteCount));
        var at = GoldenSet.HeaderByteCount + content.Pixels.Length;
        at = Classes(bytes, at, content.Labels, shape.Count, "labels");
        foreach (var (id, classes) in content.Predictions.OrderBy(p => p.Key, StringComparer.Ordinal))
        {
            Require(DeviceName.IsValid(id), $"Variant id '{id}' does not match {DeviceName.Rule}.");
            bytes[at] = (byte)id.Length;
            Encoding.ASCII.GetBytes(id, bytes.AsSpan(at + 1));
            at = Classes(bytes, at + GoldenSet.VariantIdByteCount, classes, shape.Count, $"predictions of '{id}'");
        }
        return bytes;
    }

    private static int Classes(byte[] bytes, int at, IReadOnlyList<int> classes, int count, string what)
    {
        Require(classes.Count == count, $"The golden set has {classes.Count} {what}, and {count} images.");
        foreach (var index in classes)
        {
            Require(index is >= 0 and <= ushort.MaxValue, $"The golden set has class {index} among the {what}; classes are 0…{ushort.MaxValue}.");
            BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(at), (ushort)index);
            at += 2;
        }
        return at;
    }

    private static List<string> Ids(string path, byte[] bytes, GoldenShape shape, int variants)
    {
        var ids = new List<string>(variants);
        var at = GoldenSet.HeaderByteCount + (shape.Count * shape.ImageByteCount) + (2 * shape.Count);
        for (var i = 0; i < variants; i++, at += GoldenSet.VariantIdByteCount + (2 * shape.Count))
        {
            var field = bytes.AsSpan(at, GoldenSet.VariantIdByteCount);
            var id = field[0] < field.Length ? Encoding.ASCII.GetString(field.Slice(1, field[0])) : "";
            if (!DeviceName.IsValid(id) || field[(1 + field[0])..].ContainsAnyExcept((byte)0)) throw Bad(path, $"has no valid id for variant {i}");
            if (ids.Contains(id)) throw Bad(path, $"has variant '{id}' twice");
            ids.Add(id);
        }
        return ids;
    }

    private static uint U32(byte[] bytes, int index) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8 + (4 * index)));

    private static void Require(bool holds, string message)
    {
        if (!holds) throw new ArgumentException(message);
    }

    private static BundleException Bad(string path, string what) =>
        new(BundleProblem.Golden, $"Golden set '{path}' {what}; fetch or make it again.");
}
