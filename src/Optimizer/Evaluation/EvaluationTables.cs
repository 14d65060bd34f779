using System.Globalization;
using Spectre.Console;

namespace Dunlin.Optimizer.Evaluation;

/// <summary>An evaluation for people.</summary>
internal static class EvaluationTables
{
    /// <summary>Confusions and classes that are named; all are in the JSON.</summary>
    private const int ShownCount = 5;

    public static void Write(EvaluationReport report, TextWriter output)
    {
        output.WriteLine($"{report.ImageCount} held-out images of {report.Data}; 95 % intervals in brackets");
        PlainConsole.Write(Overview(report), output);
        if (report.Models.Any(m => m.AgainstReference is not null)) PlainConsole.Write(AgainstReference(report), output);
        foreach (var model in report.Models) WriteClasses(model, output);
    }

    private static Table Overview(EvaluationReport report)
    {
        var onFrames = report.Models.Any(m => m.Top1OnFrames is not null);
        var table = new Table().AddColumns("model", "top-1 %", "top-5 %", "calibration error %");
        if (onFrames) table.AddColumn("on frames %");
        table.AddColumns("parameters", "MMAC", "kB", "1-thread ms");
        foreach (var model in report.Models)
        {
            List<string> row = [Name(model.Model), Interval(model.Top1), Interval(model.Top5), Percent(model.CalibrationError)];
            if (onFrames) row.Add(model.Top1OnFrames is { } frames ? Interval(frames) : "");
            row.AddRange([$"{model.ParameterCount}", Number(model.Macs / 1e6, "f2"), $"{model.ByteCount / 1000}", Number(model.Milliseconds, "f3")]);
            table.AddRow([.. row]);
        }

        return table;
    }

    private static Table AgainstReference(EvaluationReport report)
    {
        var table = new Table().AddColumns("model", "top-1, points against the reference", "same answer %", "classes that lost most, points");
        foreach (var model in report.Models)
        {
            if (model.AgainstReference is not { } against) continue;
            var losers = model.Classes.Where(c => c.Change is { Value: < 0 }).OrderBy(c => c.Change!.Value.Value).Take(ShownCount);
            table.AddRow(
                Name(model.Model), Interval(against.Top1Change, signed: true), Interval(against.Agreement),
                Lines(losers.Select(c => $"{c.Name} {Interval(c.Change!.Value, signed: true)} of {c.ImageCount}")));
        }

        return table;
    }

    private static void WriteClasses(ModelReport model, TextWriter output)
    {
        var table = new Table { Title = new TableTitle(Name(model.Model)) }.AddColumns("weakest classes, right %", "largest confusions");
        table.AddRow(
            Lines(model.Classes.OrderBy(c => c.Accuracy.Value).Take(ShownCount).Select(c => $"{c.Name} {Interval(c.Accuracy)} of {c.ImageCount}")),
            Lines(model.Confusions.Take(ShownCount).Select(c => $"{c.Class} taken for {c.TakenFor}: {c.Count}, {Percent(c.Share)} %")));
        PlainConsole.Write(table, output);
    }

    private static string Name(string path) => Markup.Escape(Path.GetFileNameWithoutExtension(path));
    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines.Select(Markup.Escape));
    private static string Interval(Estimate estimate, bool signed = false) => signed
        ? $"{Signed(estimate.Value)} ({Signed(estimate.Low)} to {Signed(estimate.High)})"
        : $"{Percent(estimate.Value)} ({Percent(estimate.Low)}–{Percent(estimate.High)})";

    private static string Signed(double share) => Number(share * 100, "+0.00;−0.00;0.00");
    private static string Percent(double share) => Number(share * 100, "f2");
    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
