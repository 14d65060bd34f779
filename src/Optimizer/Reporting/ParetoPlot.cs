using System.Xml.Linq;
using Dunlin.Optimizer.Search;

namespace Dunlin.Optimizer.Reporting;

/// <summary>Accuracy with its interval against the time of one inference, and the front.</summary>
internal static class ParetoPlot
{
    private const double Width = 960, Height = 430, Left = 64, Right = 944, Top = 20, Bottom = 378;
    private const int TickCount = 6;

    /// <summary>A label further from its point than this has a line to it.</summary>
    private const double LeaderFrom = 16;

    public static XElement Of(ReportContent content)
    {
        var variants = content.Variants;
        var across = Axis.Over([.. variants.Select(v => v.Milliseconds)], Left, Right, margin: 0.14, mayBeLogarithmic: true);
        var up = Axis.Over([.. variants.SelectMany(v => new[] { v.Evaluation.Top1.Low, v.Evaluation.Top1.High })], Bottom, Top, margin: 0.08, mayBeLogarithmic: false);
        var front = Pareto.Front(variants, v => [v.Milliseconds, -v.Top1]).OrderBy(v => v.Milliseconds).ToList();
        (double X, double Y) At(VariantReport v) => (across.At(v.Milliseconds), up.At(v.Top1));
        return Svg.Root(Width, Height, "Accuracy against time",
        [
            .. Grid(across, up),
            Svg.Polyline(front.Select(At), "front"),
            .. variants.SelectMany(v => Interval(At(v).X, up.At(v.Evaluation.Top1.Low), up.At(v.Evaluation.Top1.High))),
            .. variants.Select(v => Svg.Circle(At(v).X, At(v).Y, 5.5, v == content.Reference ? "point reference" : front.Contains(v) ? "point best" : "point")),
            .. Labels(variants, [.. front.Select(At)], At, v => (up.At(v.Evaluation.Top1.High), up.At(v.Evaluation.Top1.Low))),
        ]);
    }

    private static IEnumerable<XElement> Grid(Axis across, Axis up)
    {
        foreach (var tick in across.Ticks(TickCount))
        {
            yield return Svg.Line(across.At(tick), Top, across.At(tick), Bottom, "grid");
            yield return Svg.Text(across.At(tick), Bottom + 18, Changes.Short(tick), "tick", "middle");
        }

        foreach (var tick in up.Ticks(TickCount))
        {
            yield return Svg.Line(Left, up.At(tick), Right, up.At(tick), "grid");
            yield return Svg.Text(Left - 8, up.At(tick) + 4, Changes.Short(tick * 100), "tick", "end");
        }

        yield return Svg.Text((Left + Right) / 2, Height - 10, "milliseconds of one inference on one thread", "axis-title", "middle");
        yield return Svg.TurnedText(16, (Top + Bottom) / 2, "top-1 accuracy, %");
    }

    private static IEnumerable<XElement> Interval(double x, double high, double low)
    {
        yield return Svg.Line(x, low, x, high, "interval");
        yield return Svg.Line(x - 4, low, x + 4, low, "interval");
        yield return Svg.Line(x - 4, high, x + 4, high, "interval");
    }

    private static IEnumerable<XElement> Labels(
        IReadOnlyList<VariantReport> variants, IReadOnlyList<(double X, double Y)> front, Func<VariantReport, (double X, double Y)> at, Func<VariantReport, (double Top, double Bottom)> interval)
    {
        var placement = new LabelPlacement(new Box(Left, Top - 10, Right - Left, Bottom - Top + 10));
        foreach (var variant in variants)
        {
            var ((x, y), (top, bottom)) = (at(variant), interval(variant));
            placement.Block(new Box(x - 7, y - 7, 14, 14));
            placement.Block(new Box(x - 5, top, 10, bottom - top));
        }

        for (var i = 1; i < front.Count; i++) placement.Block(front[i - 1], front[i]);
        foreach (var variant in variants)
        {
            var (x, y) = at(variant);
            var box = placement.Place((x, y), variant.Name);
            var (nearX, nearY) = box.Nearest((x, y));
            if (Math.Abs(nearX - x) + Math.Abs(nearY - y) > LeaderFrom) yield return Svg.Line(x, y, nearX, nearY, "leader");
            var isLeft = box.Right < x;
            yield return Svg.Text(isLeft ? box.Right : box.Left, box.Bottom - 4, variant.Name, "label", isLeft ? "end" : "start");
        }
    }
}
