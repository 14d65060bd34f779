using System.Globalization;
using Dunlin.Contracts.Messages;

namespace Dunlin.Fleet.Commanding;

/// <summary>What must hold in a picture of a device, which may send anything, before it is kept or drawn.</summary>
internal static class PictureRules
{
    /// <summary>A JPEG's (ITU-T T.81).</summary>
    private const int LongestSide = 65_535;

    /// <summary>Shares come from divisions and sums in single precision, and may end above 1 by as much.</summary>
    private const double Rounding = 1e-4;

    private static ReadOnlySpan<byte> StartOfImage => [0xFF, 0xD8];

    /// <summary>The first rule that is broken, or null.</summary>
    public static string? Problem(Snapshot snapshot)
    {
        if (snapshot.Image.Length > Snapshot.MaximumImageByteCount)
            return string.Create(CultureInfo.InvariantCulture, $"an image of {snapshot.Image.Length} bytes, and {Snapshot.MaximumImageByteCount} are the most");
        if (!snapshot.Image.Span.StartsWith(StartOfImage)) return "an image that does not begin with FF D8, as a JPEG does";
        if (!IsSide(snapshot.Width) || !IsSide(snapshot.Height))
            return string.Create(CultureInfo.InvariantCulture, $"a frame of {snapshot.Width} × {snapshot.Height} pixels, and each side must be 1 to {LongestSide}");
        return snapshot is Explanation explanation ? ProblemOf(explanation) : null;
    }

    private static string? ProblemOf(Explanation explanation)
    {
        var (columns, rows) = (explanation.Columns, explanation.Rows);
        if (!IsCount(columns) || !IsCount(rows) || columns * rows != explanation.Heat.Count)
            return string.Create(CultureInfo.InvariantCulture, $"{explanation.Heat.Count} cells for {columns} × {rows}, and each side may have 1 to {Explanation.MaximumSide}");
        if (!explanation.Heat.All(IsShare)) return "heat outside 0…1";
        if (!IsShare(explanation.Score.Probability)) return "a probability outside 0…1";
        var area = explanation.Area;
        return IsPart(area.X, area.Width) && IsPart(area.Y, area.Height) ? null : "an area outside the frame";
    }

    private static bool IsSide(int pixels) => pixels is >= 1 and <= LongestSide;

    private static bool IsCount(int cells) => cells is >= 1 and <= Explanation.MaximumSide;

    private static bool IsShare(double value) => value is >= 0 and <= 1 + Rounding;

    private static bool IsPart(double start, double length) => start >= 0 && length > 0 && start + length <= 1 + Rounding;
}
