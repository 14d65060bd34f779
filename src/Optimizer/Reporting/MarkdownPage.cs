using System.Text;

namespace Dunlin.Optimizer.Reporting;

/// <summary>A report as Markdown (GitHub's), with plots and pictures as files beside it.</summary>
internal static class MarkdownPage
{
    public static string Of(ReportPage page)
    {
        var text = new StringBuilder().Append("# ").Append(Escaped(page.Title)).Append("\n\n").Append(Escaped(page.Subtitle)).Append("\n\n");
        foreach (var section in page.Sections)
        {
            if (section.Title.Length > 0) text.Append("## ").Append(Escaped(section.Title)).Append("\n\n");
            foreach (var block in section.Blocks) text.Append(Of(block)).Append("\n\n");
        }

        return text.ToString().TrimEnd() + "\n";
    }

    private static string Of(Block block) => block switch
    {
        Paragraph paragraph => Escaped(paragraph.Text),
        Callouts callouts => string.Join('\n', callouts.Items.Select(c => $"- **{Escaped(c.Label)}: {Escaped(c.Head)}.** {Escaped(c.Text)}")),
        Table { Fold: { } fold } table => $"<details><summary>{Escaped(fold)}</summary>\n\n{Of(table)}\n\n</details>",
        Table table => Of(table),
        Plot plot => $"![{Escaped(plot.Alt)}]({plot.FileName})",
        Gallery gallery => Of(gallery),
        Code code => $"```\n{string.Join('\n', code.Lines)}\n```",
        _ => throw new ArgumentOutOfRangeException(nameof(block), block, "No such block."),
    };

    private static string Of(Table table) => Lines(
        table.Columns.Select(c => Escaped(c.Title)), table.Columns.Select(c => c.IsText ? "---" : "--:"),
        table.Rows.Select(r => r.Cells.Select((c, i) => i == 0 && r.IsMarked ? $"**{Of(c)}**" : Of(c))));

    private static string Of(Cell cell) => cell.Note.Length > 0 ? $"{Escaped(cell.Value)} ({Escaped(cell.Note)})".TrimStart() : Escaped(cell.Value);

    private static string Of(Gallery gallery) => Lines(
        gallery.Columns.Select(Escaped), gallery.Columns.Select(_ => ":-:"), gallery.Rows.Select(r => r.Select(p => $"![{Escaped(p.Caption)}]({p.FileName})<br>{Escaped(p.Caption)}")));

    private static string Lines(IEnumerable<string> heads, IEnumerable<string> rule, IEnumerable<IEnumerable<string>> rows) =>
        string.Join('\n', rows.Prepend(rule).Prepend(heads).Select(cells => $"| {string.Join(" | ", cells)} |"));

    // Names come from files and labels: nothing in them may become markup.
    private static string Escaped(string text)
    {
        var escaped = new StringBuilder();
        foreach (var character in text)
        {
            if (character is '\\' or '`' or '*' or '_' or '[' or ']' or '|' or '~' or '#') escaped.Append('\\').Append(character);
            else if (character is '<') escaped.Append("&lt;");
            else if (character is '&') escaped.Append("&amp;");
            else escaped.Append(character is '\n' or '\r' ? ' ' : character);
        }

        return escaped.ToString();
    }
}
