namespace Dunlin.Optimizer.Reporting;

/// <summary>A rectangle of pixels.</summary>
internal readonly record struct Box(double Left, double Top, double Width, double Height)
{
    public double Right => Left + Width;
    public double Bottom => Top + Height;

    public double Overlap(Box other) =>
        Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left)) * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));

    /// <summary>The point of it that is nearest to another.</summary>
    public (double X, double Y) Nearest((double X, double Y) point) => (Math.Clamp(point.X, Left, Right), Math.Clamp(point.Y, Top, Bottom));
}

/// <summary>Puts labels beside their points so that none lies over another, over a point or a line, or outside: each takes the nearest free place, in order.</summary>
internal sealed class LabelPlacement(Box plot)
{
    private const double Gap = 9, LineGrain = 4;
    private readonly List<Box> _taken = [], _labels = [];

    /// <summary>Where no label may lie.</summary>
    public void Block(Box box) => _taken.Add(box);

    /// <summary>Nor upon a line.</summary>
    public void Block((double X, double Y) from, (double X, double Y) to) => _taken.AddRange(Along(from, to));

    /// <summary>The label's box; if no place is free, the one that covers least. The line from it to its point is then blocked, too.</summary>
    public Box Place((double X, double Y) point, string text)
    {
        var (width, height) = (text.Length * Svg.CharacterWidth, Svg.LineHeight);
        // Whole pixels, so that of places that are equally free the first is taken, whatever the last bits say.
        var best = Candidates(point.X, point.Y, width, height).MinBy(box => Math.Round(
            _taken.Sum(t => t.Overlap(box)) + (width * height - plot.Overlap(box)) + Along(point, box.Nearest(point)).Sum(grain => _labels.Sum(l => l.Overlap(grain)))));
        _taken.Add(best);
        _labels.Add(best);
        Block(point, best.Nearest(point));
        return best;
    }

    private static IEnumerable<Box> Along((double X, double Y) from, (double X, double Y) to)
    {
        var steps = Math.Max(1, (int)(Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)) / LineGrain));
        for (var i = 0; i <= steps; i++)
            yield return new Box(double.Lerp(from.X, to.X, (double)i / steps) - LineGrain / 2, double.Lerp(from.Y, to.Y, (double)i / steps) - LineGrain / 2, LineGrain, LineGrain);
    }

    // Right, left, above and below, then in widening circles.
    private static IEnumerable<Box> Candidates(double x, double y, double width, double height)
    {
        for (var ring = 0; ring < 8; ring++)
        {
            var away = Gap + ring * height * 0.8;
            yield return new Box(x + away, y - height / 2, width, height);
            yield return new Box(x - away - width, y - height / 2, width, height);
            yield return new Box(x + Gap, y - away - height / 2, width, height);
            yield return new Box(x + Gap, y + away - height / 2, width, height);
            yield return new Box(x - Gap - width, y - away - height / 2, width, height);
            yield return new Box(x - Gap - width, y + away - height / 2, width, height);
            yield return new Box(x - width / 2, y - away - height, width, height);
            yield return new Box(x - width / 2, y + away, width, height);
        }
    }
}
