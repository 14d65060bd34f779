using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dunlin.Bundles.Durability;

namespace Dunlin.Optimizer.Reporting;

/// <summary>Writes a report: <c>report.html</c>, which needs no other file, <c>report.md</c> with its pictures, and <c>report.json</c> for scripts.</summary>
internal static class ReportWriter
{
    private const string Json = "report.json", Html = "report.html", Markdown = "report.md";

    /// <summary>What a kill leaves of <see cref="Json"/>; the next report overwrites it.</summary>
    private const string Unfinished = Json + DurableFile.TemporarySuffix;

    /// <summary>Writes into a folder that is new, empty, or has an earlier report, whose files are replaced; nothing else in it is touched.</summary>
    /// <exception cref="IOException">The folder has other things in it.</exception>
    public static void Write(ReportContent content, string directory)
    {
        RequireOurs(directory);
        Directory.CreateDirectory(directory);
        foreach (var old in Directory.EnumerateFiles(directory, "heat-*.jpg").Where(f => Regex.IsMatch(Path.GetFileName(f), @"^heat-\d+-\d+\.jpg$"))) File.Delete(old);
        // First, and whole or not at all, so that the folder is known for ours even if the rest was interrupted.
        DurableFile.Write(At(Json), file => file.Write(Encoding.UTF8.GetBytes(content.ToJson())));
        var page = ReportPage.Of(content);
        foreach (var plot in page.All<Plot>()) File.WriteAllText(At(plot.FileName), Svg.ToFile(plot.Svg, HtmlPage.PlotStyles));
        foreach (var picture in page.All<Gallery>().SelectMany(g => g.Rows).SelectMany(r => r)) File.WriteAllBytes(At(picture.FileName), picture.Jpeg);
        File.WriteAllText(At(Html), HtmlPage.Of(page));
        File.WriteAllText(At(Markdown), MarkdownPage.Of(page));

        string At(string name) => Path.Combine(directory, name);
    }

    /// <summary>Before hours are spent on measuring.</summary>
    /// <exception cref="IOException">The folder has other things in it, and no report.</exception>
    public static void RequireOurs(string directory)
    {
        if (File.Exists(directory)) throw new IOException($"'{directory}' is a file; name a folder for the report.");
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any(e => Path.GetFileName(e) != Unfinished) && !HasReport(Path.Combine(directory, Json)))
            throw new IOException($"'{directory}' is not empty, and holds no report that could be replaced; name a new folder.");
    }

    private static bool HasReport(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return document.RootElement.TryGetProperty("schema", out var schema) && schema.GetString() == ReportContent.CurrentSchema;
        }
        catch (Exception error) when (error is IOException or JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
