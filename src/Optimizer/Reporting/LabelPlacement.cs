namespace Dunlin.Optimizer.Reporting;

/// <summary>A rectangle of pixels.</summary>
internal readonly record struct Box(double Left, double Top, double Width, double Height)
{
    public double Right => Left + Width;
    public double Bottom => Top + Height;

    public double Overlap(Box other) =>
        Math.Max(0, Math.Min(Right, other.Right) - Math.Max(Left, other.Left)) * Math.Max(0, Math.Min(Bottom, other.Bottom) - Math.Max(Top, other.Top));
}

/// <summary>Puts labels beside their points so that none lies over another, over a point, or outside: each takes the nearest free place, in order.</summary>
internal sealed class LabelPlacement(Box plot)
{
    private const double Gap = 9, LineGrain = 4;
    private readonly List<Box> _taken = [];

    /// <summary>Where no label may lie.</summary>
    public void Block(Box box) => _taken.Add(box);

    /// <summary>Nor upon a line.</summary>
    public void Block((double X, double Y) from, (double X, double Y) to)
    {
        var steps = Math.Max(1, (int)(Math.Max(Math.Abs(to.X - from.X), Math.Abs(to.Y - from.Y)) / LineGrain));
        for (var i = 0; i <= steps; i++)
            Block(new Box(double.Lerp(from.X, to.X, (double)i / steps) - LineGrain / 2, double.Lerp(from.Y, to.Y, (double)i / steps) - LineGrain / 2, LineGrain, LineGrain));
    }

    /// <summary>The label's box; if no place is free, the one that covers least.</summary>
    public Box Place(double x, double y, string text)
    {
        var (width, height) = (text.Length * Svg.CharacterWidth, Svg.LineHeight);
        // Whole pixels, so that of places that are equally free the first is taken, whatever the last bits say.
        var best = Candidates(x, y, width, height).MinBy(box => Math.Round(_taken.Sum(t => t.Overlap(box)) + (width * height - plot.Overlap(box))));
        _taken.Add(best);
        return best;
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
