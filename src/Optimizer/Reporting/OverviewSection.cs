using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Reporting;

/// <summary>What to take, and everything that matters for it in one table and two plots.</summary>
internal static class OverviewSection
{
    public static Section Of(ReportContent content)
    {
        var recommendations = content.Recommendations;
        return new Section("",
        [
            new Callouts([.. Callouts(recommendations)]),
            Overview(content, [.. recommendations.Select(r => r.Variant).OfType<string>()]),
            new Paragraph($"Beside each figure is its 95 % interval, or its change against {content.Reference.Name}. A recommended variant holds {content.Limit}. Times are medians of inferences without preprocessing, all models taking turns in one run. Energy is estimated: CPU time on one thread × {Changes.Digits(content.WattsPerCore)} W per busy core."),
            new Plot("pareto.svg", ParetoPlot.Of(content), "Top-1 accuracy with its interval against the time of one inference on one thread; the line is the front: no variant is both faster and more accurate."),
            new Plot("savings.svg", SavingsPlot.Of(content), $"What each variant costs, as a share of {content.Reference.Name}."),
        ]);
    }

    /// <summary>One for each variant that is best in something.</summary>
    private static IEnumerable<Callout> Callouts(IReadOnlyList<Recommendation> recommendations) => recommendations.GroupBy(r => r.Variant).Select(g => new Callout(
        Sentence.List([.. g.Select((r, i) => i == 0 ? r.Objective : r.Objective.ToLowerInvariant())]), g.Key ?? "none",
        string.Join(" ", g.Select(r => r.Gain).Append(g.First().Cost).Where(t => t.Length > 0).Distinct().Select(t => $"{Sentence.Begin(t)}."))));

    private static Table Overview(ReportContent content, HashSet<string> recommended)
    {
        var threads = content.Reference.Times;
        Column[] columns =
        [
            new("variant", IsText: true), new("top-1 %"), new("points against reference"), new("same answer %"),
            new("parameters"), new("MMAC"), new("kB"), .. threads.Select(t => new Column($"ms, {t.Threads} thread{(t.Threads > 1 ? "s" : "")}")), new("mJ, estimated"),
        ];
        return new Table(columns, [.. content.Variants.Select(v => new Row(Cells(content, v), recommended.Contains(v.Name)))]);
    }

    private static List<Cell> Cells(ReportContent content, VariantReport variant)
    {
        var (own, reference) = (variant.Evaluation, content.Reference.Evaluation);
        var isReference = variant == content.Reference;
        string Change(double now, double before) => isReference || now == before ? "" : Changes.Percent(now, before);
        return
        [
            new(variant.Name, isReference ? "the reference" : variant.Techniques.Count > 0 ? string.Join(", ", variant.Techniques.Select(t => t.Summary)) : "as it was given"),
            new(Changes.Points(own.Top1.Value), Interval(own.Top1)),
            own.AgainstReference is { } against ? new(Changes.SignedPoints(against.Top1Change.Value), $"{Changes.SignedPoints(against.Top1Change.Low)} to {Changes.SignedPoints(against.Top1Change.High)}", variant.Judge(AccuracyLimit.Parse(content.Limit)) == LimitAnswer.Fails) : new(""),
            own.AgainstReference is { } agreement ? new(Changes.Points(agreement.Agreement.Value), Interval(agreement.Agreement)) : new(""),
            new(Changes.Count(own.ParameterCount), Change(own.ParameterCount, reference.ParameterCount)),
            new(Changes.Digits(own.Macs / 1e6), Change(own.Macs, reference.Macs)),
            new(Changes.Digits(own.ByteCount / 1000.0), Change(own.ByteCount, reference.ByteCount)),
            .. variant.Times.Select((t, i) => new Cell(Changes.Digits(t.Milliseconds), isReference ? "" : Changes.Speed(t.Milliseconds, content.Reference.Times[i].Milliseconds))),
            new(Changes.Digits(variant.Joules * 1000), Change(variant.Joules, content.Reference.Joules)),
        ];
    }

    private static string Interval(Estimate share) => $"{Changes.Points(share.Low)}–{Changes.Points(share.High)}";
}
