using System.Globalization;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Spectre.Console;

namespace Dunlin.Optimizer.Search;

/// <summary>What a search found, for people: what each step bought in one table.</summary>
internal static class SearchTables
{
    public static void Write(SearchSetup setup, IReadOnlyList<JudgedVariant> variants, TextWriter output)
    {
        var reference = variants[0].Finalist;
        var cores = Environment.ProcessorCount;
        output.WriteLine($"{variants[0].HeldOut.Answers.Count} held-out images; 95 % intervals in brackets; the limit is {setup.Limit}; millijoules are CPU time × {Number(setup.WattsPerCore, "0.##")} W");
        var table = new Table().AddColumns("variant", "made by", "parameters", "MMAC", "kB", "1-thread ms");
        if (cores > 1) table.AddColumn($"{cores}-thread ms");
        table.AddColumns("times faster", "mJ", "top-1 %", "points against the reference", "limit");
        foreach (var column in Enumerable.Range(2, table.Columns.Count - 3)) table.Columns[column].RightAligned();
        foreach (var variant in variants)
        {
            var (finalist, build) = (variant.Finalist, variant.Finalist.Build);
            List<string> row = [build.Id, Markup.Escape(MadeBy(variant)), $"{build.ParameterCount}", Number(build.Macs / 1e6, "f2"), $"{build.ByteCount / 1000}", Number(finalist.OneThread.Milliseconds, "f3")];
            if (cores > 1) row.Add(Number(finalist.AllThreads.Milliseconds, "f3"));
            row.AddRange([
                Number(reference.OneThread.Milliseconds / finalist.OneThread.Milliseconds, "f2"), Number(finalist.OneThread.CpuMilliseconds * setup.WattsPerCore, "f3"), $"{Number(variant.Top1.Value * 100, "f2")} ({Number(variant.Top1.Low * 100, "f2")}–{Number(variant.Top1.High * 100, "f2")})",
                variant == variants[0] ? "" : $"{Signed(variant.Change.Value)} ({Signed(variant.Change.Low)} to {Signed(variant.Change.High)})", Word(variant.Limit)]);
            table.AddRow([.. row]);
        }

        PlainConsole.Write(table, output);
    }

    private static string MadeBy(JudgedVariant variant) => string.Join(", ", Provenance.Of(variant.Model.Graph.Model).Select(t => t.Summary)) is { Length: > 0 } steps ? steps : "as it was given";

    private static string Word(LimitAnswer answer) => answer switch
    {
        LimitAnswer.Holds => "holds",
        LimitAnswer.Unsure => "may hold",
        LimitAnswer.Fails => "fails",
        _ => throw new ArgumentOutOfRangeException(nameof(answer), answer, "not an answer"),
    };

    private static string Signed(double share) => Number(share * 100, "+0.00;−0.00;0.00");

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
