using System.Globalization;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Latencies;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dunlin.Fleet.Watching;

/// <summary>The table of <c>watch</c>. Texts of devices are escaped: they are not trusted.</summary>
internal static class FleetTable
{
    /// <summary>Characters a line, below which columns are narrower than their words.</summary>
    private const int LeastForColumns = 120;

    /// <summary>Lines of a device as columns and as a paragraph, about, and of what stands around all.</summary>
    private const int LinesOfColumns = 2, LinesOfParagraph = 5, LinesAround = 7;

    /// <param name="view">The fleet.</param>
    /// <param name="width">Characters a line.</param>
    /// <param name="height">Lines; troubled devices come first where not all fit.</param>
    public static IRenderable Render(FleetView view, int width, int height)
    {
        var table = new Table().Border(TableBorder.Rounded).Expand();
        var rows = Math.Max(1, (height - LinesAround) / (width < LeastForColumns ? LinesOfParagraph : LinesOfColumns));
        var devices = view.Devices;
        var shown = devices.Count <= rows
            ? devices
            : devices.OrderBy(d => d.State(view.Silence(d)) == "online").ThenBy(d => d.Device, StringComparer.Ordinal).Take(rows).ToList();
        var cells = shown.Select(device => Cells(view, device).ToArray());
        if (width < LeastForColumns) AddParagraphs(table, cells);
        else AddColumns(table, cells);
        table.Caption(Summary(view, devices, shown.Count));
        table.Title($"[bold]fleet {view.Fleet.EscapeMarkup()}[/]");
        return table;
    }

    private static void AddColumns(Table table, IEnumerable<string[]> devices)
    {
        foreach (var heading in (string[])["device", "bundle", "variant", "top class"]) table.AddColumn(heading);
        foreach (var heading in (string[])["fps", "p50 / p95 / p99\nms", "joules per\ninference", "drops", "°C"]) table.AddColumn(new TableColumn(heading).RightAligned().NoWrap());
        foreach (var cells in devices) table.AddRow(cells.Select(text => new Markup(text)));
    }

    private static void AddParagraphs(Table table, IEnumerable<string[]> devices)
    {
        table.AddColumn("").HideHeaders().ShowRowSeparators();
        foreach (var cells in devices)
        {
            var (device, bundle, variant, top, fps, latency, energy, drops, celsius) = (cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7], cells[8]);
            table.AddRow(OneLine($"{device} · {bundle} · {top}") + $"\n{variant}\n"
                + OneLine($"{fps} fps · p50 / p95 / p99 {latency} ms · {Joules(energy)} · {drops} drops · {celsius} °C"));
        }

        static string OneLine(string text) => text.Replace('\n', ' ');

        static string Joules(string energy) => energy.Split('\n', 2) is [var number, var method] ? $"{number} J an inference, {method}" : "no energy";
    }

    private static IEnumerable<string> Cells(FleetView view, DeviceView device)
    {
        var state = device.State(view.Silence(device));
        var colour = state switch { "online" => "green", "stopped" => "grey", _ => "red" };
        yield return $"[bold]{device.Device.EscapeMarkup()}[/]\n[{colour}]{state}[/]{Problems(device)}";
        yield return device.Reported?.Release is { } release ? Clip($"{release.Name} {release.Label}", 24) + (release.IsSigned ? "" : " [yellow]unsigned[/]") : "–";
        yield return Variant(device);
        yield return $"[bold]{Clip(device.TopClass ?? "–", 20)}[/]";
        yield return device.Window is { } window ? Number(window.FramesPerSecond, 1) : "–";
        yield return device.Window?.Latency.Milliseconds is { } ms ? $"{Number(ms.P50, 1)} / {Number(ms.P95, 1)} / {Number(ms.P99, 1)}" : "–";
        yield return Energy(device);
        yield return device.Drops?.ToString(CultureInfo.InvariantCulture) ?? "–";
        yield return device.Window?.Thermal is { } thermal ? (thermal.Celsius is { } c ? Number(c, 0) : "–") + (thermal.Throttled == true ? "\n[red]throttled[/]" : "") : "–";
    }

    private static string Variant(DeviceView device)
    {
        if (device.Reported is not { } reported) return "–";
        if (reported.Running is not { } running) return $"[red]none[/] [grey]{Clip(reported.Reason, 80)}[/]";
        var wanted = reported.Wanted is { } w && w != running ? $" [yellow](wanted {Clip(Short(w.ToString()), 60)})[/]" : "";
        var reason = reported.Wanted == running ? device.Verdict?.Reason ?? reported.Reason : reported.Reason;
        // The verdict's sentence begins with its winner, which the line above has said already.
        if (reason.StartsWith($"{running}: ", StringComparison.Ordinal)) reason = reason[$"{running}: ".Length..];
        return $"[bold]{Clip(Short(running.ToString()), 60)}[/]{wanted}\n[grey]{Clip(Short(reason), 160)}[/]";
    }

    /// <summary><c>CPU</c> for <c>CPUExecutionProvider</c>: columns are narrow.</summary>
    private static string Short(string text) => text.Replace("ExecutionProvider", "", StringComparison.Ordinal);

    private static string Energy(DeviceView device) => device.Energy is { } energy
        ? (energy.JoulesPerInference is { } joules ? joules.ToString("0.####", CultureInfo.InvariantCulture) : "–")
            + $"\n[grey]{energy.Method.ToString().ToLowerInvariant()}\n{Clip(energy.Source, 14)}[/]"
        : "–";

    private static string Problems(DeviceView device) =>
        device.Reported?.Problems is { Count: > 0 } problems ? $" [yellow]{Clip(problems[0], 80)}{(problems.Count > 1 ? $" (+{problems.Count - 1})" : "")}[/]" : "";

    private static string Summary(FleetView view, IReadOnlyList<DeviceView> devices, int shown)
    {
        var online = devices.Count(device => device.State(view.Silence(device)) == "online");
        var histograms = devices.Where(device => device.IsThere).Select(device => device.Window?.Latency.Histogram).OfType<Histogram>().ToList();
        // Percentiles of a fleet come from its merged histograms; averaged percentiles would mean nothing.
        var all = histograms.Count > 1 && LatencyMath.Summarize(LatencyMath.Merge(histograms)).Milliseconds is { } p ? $" · all devices p50 {Number(p.P50, 1)}, p95 {Number(p.P95, 1)}, p99 {Number(p.P99, 1)} ms" : "";
        var hidden = devices.Count > shown ? $" · {devices.Count - shown} more not shown" : "";
        var garbage = view.GarbageCount > 0 ? $" · {view.GarbageCount} unreadable messages" : "";
        return $"{online} of {devices.Count} online{all}{hidden}{garbage}";
    }

    private static string Number(double value, int digits) => value.ToString("F" + digits, CultureInfo.InvariantCulture);

    private static string Clip(string text, int length)
    {
        var clean = string.Concat(text.Select(c => char.IsControl(c) ? ' ' : c));
        if (clean.Length <= length) return clean.EscapeMarkup();
        var end = char.IsHighSurrogate(clean[length - 2]) ? length - 2 : length - 1;
        return (clean[..end] + "…").EscapeMarkup();
    }
}
