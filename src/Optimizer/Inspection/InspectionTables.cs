using System.Globalization;
using Spectre.Console;

namespace Dunlin.Optimizer.Inspection;

/// <summary>An inspection for people.</summary>
internal static class InspectionTables
{
    /// <summary>A group over many layers is called by the first ones.</summary>
    private const int NamesShown = 3;

    public static void Write(ModelInspection inspection, TextWriter output)
    {
        output.WriteLine($"{inspection.Input.Name} {Shape(inspection.Input.Shape)}{(inspection.HasOpenBatch ? ", any batch" : "")} → {inspection.Output.Name} {Shape(inspection.Output.Shape)}");
        output.WriteLine($"{string.Join(", ", inspection.OperatorSets.Select(o => $"{o.Key} {o.Value}"))}, IR {inspection.IrVersion}, written by {(inspection.Producer.Length > 0 ? inspection.Producer : "an unnamed program")}");

        var layers = new Table().AddColumns("layer", "operator", "output", "parameters", "MMAC", "kB").RightAligned(3, 4, 5);
        foreach (var layer in inspection.Layers)
            layers.AddRow(Markup.Escape(layer.Name), Markup.Escape(layer.Operator), Shape(layer.OutputShape), $"{layer.ParameterCount}", Million(layer.Macs), Kilo(layer.ByteCount));
        layers.AddRow("total", $"{inspection.Layers.Count} nodes", "", $"{inspection.ParameterCount}", Million(inspection.Macs), Kilo(inspection.ByteCount));
        PlainConsole.Write(layers, output);

        var groups = new Table().AddColumns("channels made by", "channels", "at once", "may be pruned").RightAligned(1, 2);
        foreach (var group in inspection.ChannelGroups)
            groups.AddRow(Markup.Escape(Names(group.Layers)), $"{group.ChannelCount}", $"{group.ChannelsPerUnit}", Markup.Escape(group.WhyFixed is { } why ? $"no: {why}" : "yes"));
        PlainConsole.Write(groups, output);
    }

    private static string Names(IReadOnlyList<string> layers) =>
        string.Join(", ", layers.Take(NamesShown)) + (layers.Count > NamesShown ? $" and {layers.Count - NamesShown} more" : "");

    private static Table RightAligned(this Table table, params ReadOnlySpan<int> columns)
    {
        foreach (var column in columns) table.Columns[column].RightAligned();
        return table;
    }

    private static string Shape(IReadOnlyList<long> shape) => string.Join('×', shape);
    private static string Million(long macs) => (macs / 1e6).ToString("f3", CultureInfo.InvariantCulture);
    private static string Kilo(long bytes) => (bytes / 1e3).ToString("f1", CultureInfo.InvariantCulture);
}
