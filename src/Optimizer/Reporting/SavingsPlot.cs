using System.Xml.Linq;

namespace Dunlin.Optimizer.Reporting;

/// <summary>What each variant costs as a share of the reference: a column of bars for parameters, arithmetic, bytes, time and energy.</summary>
internal static class SavingsPlot
{
    private const double Width = 960, RowHeight = 22, Top = 34, Gap = 14, BarHeight = 12, TextWidth = 50;

    public static XElement Of(ReportContent content)
    {
        var variants = content.Variants;
        var measures = Measures(content);
        var left = Math.Min(220, variants.Max(v => v.Name.Length) * Svg.CharacterWidth + 10);
        var column = (Width - left) / measures.Count;
        return Svg.Root(Width, Top + variants.Count * RowHeight + 6, "Costs as shares of the reference",
        [
            .. variants.Select((v, i) => Svg.Text(left - 10, Base(i), v.Name, "label", "end")),
            .. measures.SelectMany((m, i) => Bars(variants, m, left + i * column, column - Gap - TextWidth)),
        ]);
    }

    private static List<(string Name, Func<VariantReport, double> Cost)> Measures(ReportContent content)
    {
        List<(string, Func<VariantReport, double>)> measures = [("parameters", v => v.Evaluation.ParameterCount), ("MACs", v => v.Evaluation.Macs), ("bytes", v => v.Evaluation.ByteCount)];
        for (var i = 0; i < content.Reference.Times.Count; i++)
        {
            var place = i;
            measures.Add(($"ms, {content.Reference.Times[i].Threads} thread{(i > 0 ? "s" : "")}", v => v.Times[place].Milliseconds));
        }

        measures.Add(("energy", v => v.Joules));
        return measures;
    }

    private static IEnumerable<XElement> Bars(IReadOnlyList<VariantReport> variants, (string Name, Func<VariantReport, double> Cost) measure, double left, double width)
    {
        yield return Svg.Text(left, 16, measure.Name, "axis-title");
        var whole = measure.Cost(variants[0]);
        if (whole <= 0) yield break;
        var longest = variants.Max(v => measure.Cost(v) / whole);
        for (var i = 0; i < variants.Count; i++)
        {
            var share = measure.Cost(variants[i]) / whole;
            yield return Svg.Rectangle(left, Top + i * RowHeight + 3, Math.Max(1, share / longest * width), BarHeight, i == 0 ? "bar reference" : share > 1 ? "bar worse" : "bar");
            yield return Svg.Text(left + Math.Max(1, share / longest * width) + 5, Base(i), $"{Changes.Short(Math.Round(share * 100, share < 0.1 ? 1 : 0))} %", "tick");
        }
    }

    private static double Base(int row) => Top + row * RowHeight + 13;
}
