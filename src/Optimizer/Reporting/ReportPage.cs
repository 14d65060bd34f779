using System.Xml.Linq;

namespace Dunlin.Optimizer.Reporting;

/// <summary>What is on the page, whether it becomes HTML or Markdown.</summary>
internal sealed record ReportPage(string Title, string Subtitle, IReadOnlyList<Section> Sections)
{
    public static ReportPage Of(ReportContent content) => new(
        $"Variants of {content.Reference.Name}",
        $"{Changes.Count(content.ImageCount)} held-out images of {content.Data} · 95 % intervals · {content.Machine.Cpu} · {content.Machine.Date:yyyy-MM-dd}",
        [
            OverviewSection.Of(content), TechniqueSection.Of(content), AccuracySection.Of(content),
            LayerSection.Of(content), .. AttentionSection.Of(content), ReproductionSection.Of(content),
        ]);

    public IEnumerable<T> All<T>()
        where T : Block => Sections.SelectMany(s => s.Blocks).OfType<T>();
}

/// <param name="Title">Empty for the first one.</param>
/// <param name="Blocks">In order.</param>
internal sealed record Section(string Title, IReadOnlyList<Block> Blocks);

internal abstract record Block;

internal sealed record Paragraph(string Text) : Block;

/// <summary>What a reader must not miss.</summary>
internal sealed record Callouts(IReadOnlyList<Callout> Items) : Block;

internal sealed record Callout(string Label, string Head, string Text);

/// <param name="Columns">Their heads.</param>
/// <param name="Rows">Each with a cell a column.</param>
/// <param name="Fold">The line under which the table is folded away at first; null if it is not.</param>
internal sealed record Table(IReadOnlyList<Column> Columns, IReadOnlyList<Row> Rows, string? Fold = null) : Block;

internal sealed record Column(string Title, bool IsText = false);

internal sealed record Row(IReadOnlyList<Cell> Cells, bool IsMarked = false);

/// <param name="Value">What it is.</param>
/// <param name="Note">Its change, or its interval.</param>
/// <param name="IsBad">Where the limit does not hold.</param>
internal sealed record Cell(string Value, string Note = "", bool IsBad = false);

/// <param name="FileName">Beside the Markdown.</param>
/// <param name="Svg">The drawing.</param>
/// <param name="Alt">What it shows, in a sentence.</param>
internal sealed record Plot(string FileName, XElement Svg, string Alt) : Block;

internal sealed record Gallery(IReadOnlyList<string> Columns, IReadOnlyList<IReadOnlyList<Picture>> Rows) : Block;

internal sealed record Picture(string FileName, byte[] Jpeg, string Caption);

internal sealed record Code(IReadOnlyList<string> Lines) : Block;
