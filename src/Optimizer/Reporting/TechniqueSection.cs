using Dunlin.Contracts.Manifests;

namespace Dunlin.Optimizer.Reporting;

/// <summary>What each technique bought: every variant against the one that it was made from, grouped by what was done.</summary>
internal static class TechniqueSection
{
    public static Section Of(ReportContent content)
    {
        var times = content.Reference.Times.Select(t => new Column($"time, {t.Threads} thread{(t.Threads > 1 ? "s" : "")}"));
        Column[] columns = [new("technique", IsText: true), new("variant", IsText: true), new("on top of", IsText: true), new("parameters"), new("MACs"), new("bytes"), .. times, new("energy"), new("top-1, points")];
        var steps = content.Variants.Skip(1).Select(v => (Variant: v, Base: BaseOf(content.Variants, v))).Select(s => (s.Variant, s.Base, Kind: KindOf(s.Variant, s.Base)));
        var rows = steps.GroupBy(s => s.Kind).OrderBy(g => g.Key.Count(c => c == '+')).SelectMany(g => g)
            .Select(s => new Row(Cells(s.Kind, s.Variant, s.Base)));
        return new Section("What each technique bought", [new Paragraph("Each variant against the one that it was made from."), new Table(columns, [.. rows])]);
    }

    /// <summary>The variant whose techniques are the longest beginning of this one's, of several the nearest in arithmetic; the reference, if there is none.</summary>
    public static VariantReport BaseOf(IReadOnlyList<VariantReport> variants, VariantReport variant) => variants.Skip(1)
        .Where(v => v.Techniques.Count > 0 && v.Techniques.Count < variant.Techniques.Count && v.Techniques.Zip(variant.Techniques).All(p => IsSame(p.First, p.Second)))
        .OrderByDescending(v => v.Techniques.Count).ThenBy(v => Math.Abs(v.Evaluation.Macs - variant.Evaluation.Macs)).FirstOrDefault() ?? variants[0];

    private static bool IsSame(Technique a, Technique b) => (a.Kind, a.Summary) == (b.Kind, b.Summary);

    private static string KindOf(VariantReport variant, VariantReport from)
    {
        var shared = from.Techniques.Zip(variant.Techniques).TakeWhile(p => IsSame(p.First, p.Second)).Count();
        var added = variant.Techniques.Skip(shared).Select(t => t.Kind).ToList();
        return added.Count > 0 ? string.Join(" + ", added) : "as it was given";
    }

    private static Cell[] Cells(string kind, VariantReport variant, VariantReport from)
    {
        var (now, before) = (variant.Evaluation, from.Evaluation);
        return
        [
            new(kind), new(variant.Name), new(from.Name),
            new(Changes.Percent(now.ParameterCount, before.ParameterCount)), new(Changes.Percent(now.Macs, before.Macs)), new(Changes.Percent(now.ByteCount, before.ByteCount)),
            .. variant.Times.Zip(from.Times).Select(t => new Cell(Changes.Speed(t.First.Milliseconds, t.Second.Milliseconds))),
            new(Changes.Percent(variant.Joules, from.Joules)),
            new(variant.Top1AgainstBase is { } change ? Changes.Difference(change) : Changes.SignedPoints(variant.Top1 - from.Top1)),
        ];
    }
}
