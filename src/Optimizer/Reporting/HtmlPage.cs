using System.Xml.Linq;

namespace Dunlin.Optimizer.Reporting;

/// <summary>A report as one HTML file that loads nothing. Made of elements, so that it is well-formed and whatever stands in it is encoded.</summary>
internal static class HtmlPage
{
    private static readonly Lazy<string> CommonStyles = new(() => Resource("report.css"));

    /// <summary>The rules that drawings need, also as files of their own.</summary>
    public static string PlotStyles { get; } = Resource("plot.css");

    public static string Of(ReportPage page)
    {
        var html = new XElement("html", new XAttribute("lang", "en"),
            new XElement("head",
                new XElement("meta", new XAttribute("charset", "utf-8")),
                new XElement("meta", new XAttribute("name", "viewport"), new XAttribute("content", "width=device-width, initial-scale=1")),
                new XElement("title", page.Title),
                new XElement("style", CommonStyles.Value, PlotStyles)),
            new XElement("body", new XElement("main",
                new XElement("header", new XElement("h1", page.Title), new XElement("p", page.Subtitle)),
                page.Sections.Select(Of))));
        return "<!DOCTYPE html>\n" + html.ToString(SaveOptions.DisableFormatting) + "\n";
    }

    private static XElement Of(Section section) => new("section", section.Title.Length > 0 ? new XElement("h2", section.Title) : null, section.Blocks.Select(Of));

    private static XElement Of(Block block) => block switch
    {
        Paragraph paragraph => new XElement("p", paragraph.Text),
        Callouts callouts => Classed("div", "callouts", callouts.Items.Select(c =>
            Classed("div", "callout", Classed("div", "eyebrow", c.Label), Classed("div", "head", c.Head), new XElement("p", c.Text)))),
        Table { Fold: { } fold } table => new XElement("details", new XElement("summary", fold), Of(table)),
        Table table => Of(table),
        Plot plot => new XElement("figure", Classed("div", "wide", new XElement(plot.Svg)), new XElement("figcaption", plot.Alt)),
        Gallery gallery => Of(gallery),
        Code code => new XElement("pre", new XElement("code", string.Join('\n', code.Lines))),
        _ => throw new ArgumentOutOfRangeException(nameof(block), block, "No such block."),
    };

    private static XElement Of(Table table) => Classed("div", "wide", new XElement("table",
        new XElement("thead", new XElement("tr", table.Columns.Select(c => Classed("th", c.IsText ? "text" : "number", c.Title)))),
        new XElement("tbody", table.Rows.Select(r => Classed("tr", r.IsMarked ? "marked" : "", r.Cells.Zip(table.Columns, Of))))));

    private static XElement Of(Cell cell, Column column) => Classed(
        "td", $"{(column.IsText ? "text" : "number")}{(cell.IsBad ? " bad" : "")}", cell.Value, cell.Note.Length > 0 ? new XElement("small", cell.Note) : null);

    private static XElement Of(Gallery gallery) => Classed("div", "wide", Classed("table", "gallery",
        new XElement("thead", new XElement("tr", gallery.Columns.Select(c => new XElement("th", c)))),
        new XElement("tbody", gallery.Rows.Select(row => new XElement("tr", row.Select(picture => new XElement("td",
            new XElement("img", new XAttribute("alt", picture.Caption), new XAttribute("src", $"data:image/jpeg;base64,{Convert.ToBase64String(picture.Jpeg)}")),
            new XElement("small", picture.Caption))))))));

    // An element without content would be written as one tag, which HTML reads as a beginning.
    private static XElement Classed(string name, string style, params IEnumerable<object?> content) =>
        new(name, style.Length > 0 ? new XAttribute("class", style) : null, content, "");

    private static string Resource(string name)
    {
        using var stream = typeof(HtmlPage).Assembly.GetManifestResourceStream(name) ?? throw new InvalidOperationException($"Resource '{name}' is missing.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
