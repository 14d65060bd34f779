using System.Globalization;

namespace Dunlin.Contracts.Messages;

/// <summary>What must hold in a picture that a child or a device sends, either of which may send anything, before it is passed on, kept or drawn. Each says what is broken, or null.</summary>
public static class PictureRules
{
    /// <summary>A JPEG's (ITU-T T.81).</summary>
    private const int LongestSide = 65_535;

    /// <summary>Shares come from divisions and sums in single precision, and may end above 1 by as much.</summary>
    private const double Rounding = 1e-4;

    private static ReadOnlySpan<byte> StartOfImage => [0xFF, 0xD8];

    /// <param name="image">A JPEG.</param>
    /// <param name="width">Pixels of the frame that it was made of.</param>
    /// <param name="height">Pixels of the frame.</param>
    public static string? OfImage(ReadOnlyMemory<byte> image, int width, int height) =>
        image.Length > Snapshot.MaximumImageByteCount ? string.Create(CultureInfo.InvariantCulture, $"an image of {image.Length} bytes, and {Snapshot.MaximumImageByteCount} are the most")
        : !image.Span.StartsWith(StartOfImage) ? "an image that does not begin with FF D8, as a JPEG does"
        : !IsSide(width) || !IsSide(height) ? string.Create(CultureInfo.InvariantCulture, $"a frame of {width} × {height} pixels, and each side must be 1 to {LongestSide}")
        : null;

    /// <param name="heat">Row by row.</param>
    /// <param name="columns">Cells of a row.</param>
    /// <param name="rows">Of cells.</param>
    /// <param name="area">Of the frame, that the cells cover.</param>
    public static string? OfHeat(IReadOnlyList<double> heat, int columns, int rows, FrameArea area) =>
        !IsCount(columns) || !IsCount(rows) || columns * rows != heat.Count ? string.Create(CultureInfo.InvariantCulture, $"{heat.Count} cells for {columns} × {rows}, and each side may have 1 to {Explanation.MaximumSide}")
        : !heat.All(IsShare) ? "heat outside 0…1"
        : IsPart(area.X, area.Width) && IsPart(area.Y, area.Height) ? null : "an area outside the frame";

    /// <param name="snapshot">An explanation with all of its parts.</param>
    public static string? Of(Snapshot snapshot) => OfImage(snapshot.Image, snapshot.Width, snapshot.Height) ?? (snapshot is not Explanation explanation ? null
        : OfHeat(explanation.Heat, explanation.Columns, explanation.Rows, explanation.Area) ?? (IsShare(explanation.Score.Probability) ? null : "a probability outside 0…1"));

    private static bool IsSide(int pixels) => pixels is >= 1 and <= LongestSide;

    private static bool IsCount(int cells) => cells is >= 1 and <= Explanation.MaximumSide;

    private static bool IsShare(double value) => value is >= 0 and <= 1 + Rounding;

    private static bool IsPart(double start, double length) => start >= 0 && length > 0 && start + length <= 1 + Rounding;
}
