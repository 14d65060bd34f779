using Dunlin.Optimizer.Inspection;

namespace Dunlin.Optimizer.Reporting;

/// <summary>Each variant layer by layer beside the reference, with the kernels that ONNX Runtime really runs.</summary>
internal static class LayerSection
{
    private static readonly Column[] Columns =
        [new("layer", IsText: true), new("output", IsText: true), new("parameters"), new("MMAC"), new("kB"), new("as ONNX Runtime runs it", IsText: true), new("µs")];

    public static Section Of(ReportContent content)
    {
        Column[] summary = [new("variant", IsText: true), new("kernels that ONNX Runtime runs", IsText: true), new("quantized, yet computed in float", IsText: true)];
        return new Section("Layer by layer",
        [
            new Paragraph("Microseconds are medians on one thread while ONNX Runtime's profiler looks on, each model alone: good for proportions within a model. What follows a layer (normalization, activation, an addition) is often computed in its kernel."),
            new Table(summary, [.. content.Variants.Select(v => new Row([new(v.Name), new(Kernels(v.Layers)), new(Unfused(v.Layers))]))]),
            .. content.Variants.Select((v, i) => new Table(Columns, [.. Rows(v.Layers, i == 0 ? null : content.Reference.Layers)], $"{v.Name}: {v.Layers.Layers.Count} layers")),
        ]);
    }

    private static string Kernels(LayerTable table) => string.Join(", ", table.Kernels.Select(k => $"{k.Value} {k.Key}"));

    private static string Unfused(LayerTable table) =>
        !table.IsQuantized ? "" : string.Join(", ", table.Unfused.Select(l => l.Name)) is { Length: > 0 } names ? names : "none";

    private static IEnumerable<Row> Rows(LayerTable table, LayerTable? reference)
    {
        var before = reference?.Layers.ToDictionary(l => l.Name) ?? [];
        foreach (var layer in table.Layers) yield return new Row(Cells(layer, before.GetValueOrDefault(layer.Name)));
        if (table.Between.Count > 0)
            yield return new Row([new("between them"), new(""), new(""), new(""), new(""), new(string.Join(", ", table.Between.Select(b => $"{b.Count} {b.Operator}"))), new(Changes.Digits(table.Between.Sum(b => b.Microseconds)))]);
    }

    private static Cell[] Cells(LayerRow now, LayerRow? before)
    {
        string Change(double after, double? earlier) => earlier is { } value && value != after ? Changes.Percent(after, value) : "";
        return
        [
            new(now.Name),
            new(Shape(now), before is not null && Shape(before) != Shape(now) ? $"before {Shape(before)}" : ""),
            new(Changes.Count(now.ParameterCount), Change(now.ParameterCount, before?.ParameterCount)),
            new(Changes.Digits(now.Macs / 1e6), Change(now.Macs, before?.Macs)),
            new(Changes.Digits(now.ByteCount / 1000.0), Change(now.ByteCount, before?.ByteCount)),
            new(now.Kernel, before is not null && before.Kernel != now.Kernel ? $"before {before.Kernel}" : ""),
            new(now.Microseconds is { } time ? Changes.Digits(time) : "", now.Microseconds is { } after && before?.Microseconds is > 0 and var earlier ? Changes.Percent(after, earlier) : ""),
        ];
    }

    private static string Shape(LayerRow layer) => string.Join('×', layer.OutputShape.Skip(1));
}
