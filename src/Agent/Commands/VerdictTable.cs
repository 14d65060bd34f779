using System.Globalization;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Spectre.Console;

namespace Dunlin.Agent.Commands;

/// <summary>A verdict as a person reads it.</summary>
internal static class VerdictTable
{
    // A file or a pipe has no width; 80 would break the words.
    private const int RedirectedWidth = 160;

    public static void Write(Manifest manifest, Verdict verdict)
    {
        var table = new Table().Border(TableBorder.Rounded)
            .AddColumns("variant", "threads", "outcome", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "mJ", "top-1 %", "runs", "why");
        foreach (var contender in verdict.Contenders.OrderByDescending(c => c.Contender == verdict.Winner).ThenBy(c => c.LatencyMilliseconds?.P50 ?? double.MaxValue))
        {
            var latency = contender.LatencyMilliseconds;
            table.AddRow(((string?[])
            [
                contender.Contender.Variant,
                contender.Contender.Threads.ToString(CultureInfo.InvariantCulture),
                contender.Outcome.ToString().ToLowerInvariant(),
                Number(latency?.P50), Number(latency?.P95), Number(latency?.P99),
                Number(contender.CpuMilliseconds),
                contender.Energy is { } energy ? $"{Number(energy.Joules * 1000)} {energy.Method.ToString().ToLowerInvariant()[..3]}." : "-",
                (contender.Top1 * 100).ToString("0.0", CultureInfo.InvariantCulture),
                contender.RunCount.ToString(CultureInfo.InvariantCulture),
                contender.ReasonCode,
            ]).Select(cell => Markup.Escape(cell ?? "-")).ToArray());
        }

        if (Console.IsOutputRedirected) AnsiConsole.Profile.Width = RedirectedWidth;
        AnsiConsole.MarkupLine(Markup.Escape(string.Create(CultureInfo.InvariantCulture,
            $"{manifest.Name} {manifest.Label} on {verdict.Conditions.CpuModel}, {verdict.Conditions.UsableCores} cores: {verdict.Contenders.Count} contenders, {verdict.ElapsedMilliseconds / 1000:0.0} s")));
        AnsiConsole.Write(table);
        AnsiConsole.MarkupLine(Markup.Escape(verdict.Winner is null ? verdict.Reason : $"Winner: {verdict.Reason}"));
    }

    private static string Number(double? value) => value?.ToString(value switch { < 1 => "0.000", < 10 => "0.00", _ => "0.0" }, CultureInfo.InvariantCulture) ?? "-";
}
