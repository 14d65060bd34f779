using System.Globalization;
using Dunlin.Optimizer.Evaluation;
using Spectre.Console;

namespace Dunlin.Optimizer.Search;

/// <summary>What a search found, for people, in one table that fits a terminal; the report has the rest.</summary>
internal static class SearchTables
{
    public static void Write(SearchSetup setup, IReadOnlyList<JudgedVariant> variants, TextWriter output)
    {
        var reference = variants[0].Finalist.Time.Milliseconds;
        output.WriteLine($"{variants[0].HeldOut.Answers.Count} held-out images; ms on one thread; mJ are CPU time × {Number(setup.WattsPerCore, "0.##")} W; points of top-1 against the reference with their 95 % interval; the limit is {setup.Limit}");
        var table = new Table().AddColumns("variant", "MMAC", "kB", "ms", "× faster", "mJ", "top-1 %", "points", "limit");
        foreach (var column in table.Columns) column.NoWrap();
        foreach (var column in table.Columns.Take(1..^2)) column.RightAligned();
        foreach (var variant in variants)
        {
            var (build, time) = (variant.Finalist.Build, variant.Finalist.Time);
            table.AddRow(
                Markup.Escape(build.Id), Number(build.Macs / 1e6, "f2"), $"{build.ByteCount / 1000}", Number(time.Milliseconds, "f3"), Number(reference / time.Milliseconds, "f2"),
                Number(time.CpuMilliseconds * setup.WattsPerCore, "f3"), Number(variant.Top1.Value * 100, "f2"),
                variant == variants[0] ? "" : $"{Signed(variant.Change.Value)} ({Signed(variant.Change.Low)} to {Signed(variant.Change.High)})", Word(variant.Limit));
        }

        PlainConsole.Write(table, output);
    }

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
