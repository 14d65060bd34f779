using System.Buffers.Binary;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Bundles.Golden;

/// <summary>
/// Labelled images at model size with the class that each variant predicted on the workstation. Little-endian file:
/// <code>
/// offset  bytes
/// 0       8         magic "DNLNGOLD"
/// 8       6 × u32   format version (1), images n, height h, width w, channels c, variants v
/// 32      n·h·w·c   pixels, NHWC, 0…255, channels in the model's order
///         n × u16   labels: index of the right class
///         v ×       { u8 length, id in ASCII, zeros up to 64 bytes; n × u16 predicted classes }
/// </code>
/// The length must be exact. The whole file is held in one array; access allocates nothing.
/// </summary>
public sealed class GoldenSet
{
    internal const int HeaderByteCount = 32;
    internal const int VariantIdByteCount = 64;
    internal const int FormatVersion = 1;
    internal static readonly byte[] Magic = "DNLNGOLD"u8.ToArray();

    private readonly byte[] _bytes;
    private readonly int _labelsAt;
    private readonly Dictionary<string, int> _predictionsAt;

    internal GoldenSet(byte[] bytes, GoldenShape shape, IReadOnlyList<string> variants)
    {
        _bytes = bytes;
        Shape = shape;
        Variants = variants;
        _labelsAt = checked(HeaderByteCount + (shape.Count * shape.ImageByteCount));
        _predictionsAt = [];
        for (var i = 0; i < variants.Count; i++)
            _predictionsAt.Add(variants[i], _labelsAt + (2 * shape.Count) + (i * (VariantIdByteCount + (2 * shape.Count))) + VariantIdByteCount);
    }

    public GoldenShape Shape { get; }

    public int Count => Shape.Count;

    /// <summary>The variants whose predictions are in the file, in its order.</summary>
    public IReadOnlyList<string> Variants { get; }

    /// <summary>Height × width × channels bytes, row by row, channels interleaved.</summary>
    public ReadOnlySpan<byte> Image(int index) => _bytes.AsSpan(HeaderByteCount + (Checked(index) * Shape.ImageByteCount), Shape.ImageByteCount);

    /// <summary>The right class of an image.</summary>
    public int Label(int index) => U16(_labelsAt, index);

    public bool Has(string variant) => _predictionsAt.ContainsKey(variant);

    /// <summary>The class that the variant predicted on the workstation.</summary>
    /// <exception cref="KeyNotFoundException">The set has no predictions of this variant.</exception>
    public int Prediction(string variant, int index) => U16(_predictionsAt[variant], index);

    /// <summary>Reads and checks a file of at most <see cref="GoldenSpec.MaximumByteCount"/> bytes.</summary>
    /// <exception cref="BundleException">It is missing, too large, truncated or inconsistent.</exception>
    public static GoldenSet Open(string path) => GoldenFormat.Read(path, RegularFile.Read(path, null, (int)GoldenSpec.MaximumByteCount));

    /// <summary>Writes a file; see <see cref="GoldenContent"/> for the lengths.</summary>
    /// <exception cref="ArgumentException">The content is inconsistent or larger than a golden set may be.</exception>
    public static void Write(string path, GoldenContent content) => File.WriteAllBytes(path, GoldenFormat.Write(content));

    private int U16(int at, int index) => BinaryPrimitives.ReadUInt16LittleEndian(_bytes.AsSpan(at + (2 * Checked(index)), 2));

    private int Checked(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Shape.Count);
        return index;
    }
}

/// <summary>The dimensions of a golden set.</summary>
/// <param name="Count">Images.</param>
/// <param name="Height">Pixels.</param>
/// <param name="Width">Pixels.</param>
/// <param name="Channels">1 or 3.</param>
public readonly record struct GoldenShape(int Count, int Height, int Width, int Channels)
{
    public int ImageByteCount => checked(Height * Width * Channels);
}

/// <summary>What a golden set is made of.</summary>
public sealed record GoldenContent
{
    public required GoldenShape Shape { get; init; }

    /// <summary>Count × height × width × channels bytes.</summary>
    public required ReadOnlyMemory<byte> Pixels { get; init; }

    /// <summary>The right class of each image.</summary>
    public required IReadOnlyList<int> Labels { get; init; }

    /// <summary>By variant id: its predicted class of each image on the workstation.</summary>
    public required IReadOnlyDictionary<string, IReadOnlyList<int>> Predictions { get; init; }
}
