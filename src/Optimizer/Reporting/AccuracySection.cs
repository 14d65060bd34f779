using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Reporting;

/// <summary>Where accuracy was lost, and how far confidence can be believed.</summary>
internal static class AccuracySection
{
    private const int ShownCount = 4;

    public static Section Of(ReportContent content)
    {
        Column[] columns = [new("variant", IsText: true), new("top-5 %"), new("calibration error %"), new("classes that lost most, points", IsText: true), new("largest confusions", IsText: true)];
        List<Block> blocks =
        [
            new Paragraph("The calibration error is how far confidence and accuracy are apart on average, over 15 bins. A class is named only if it lost."),
            new Table(columns, [.. content.Variants.Select(v => new Row(Cells(v.Evaluation, v.Name)))]),
        ];
        if (content.Unreadable.Count > 0)
            blocks.Add(new Paragraph($"{content.Unreadable.Count} images could not be read and are left out, first {content.Unreadable[0].Name} ({content.Unreadable[0].Why})."));
        return new Section("Accuracy in detail", blocks);
    }

    private static Cell[] Cells(ModelReport report, string name)
    {
        var losers = report.Classes.Where(c => c.Change is { Value: < 0 }).OrderBy(c => c.Change!.Value.Value).Take(ShownCount);
        return
        [
            new(name),
            new(Changes.Points(report.Top5.Value), $"{Changes.Points(report.Top5.Low)}–{Changes.Points(report.Top5.High)}"),
            new(Changes.Points(report.CalibrationError)),
            new(report.AgainstReference is null ? "" : Text(losers.Select(c => $"{c.Name} {Changes.Difference(c.Change!.Value)} of {c.ImageCount}"))),
            new(Text(report.Confusions.Take(ShownCount).Select(c => $"{c.Class} for {c.TakenFor}: {c.Count}"))),
        ];
    }

    private static string Text(IEnumerable<string> items) => string.Join("; ", items) is { Length: > 0 } text ? text : "none";
}
