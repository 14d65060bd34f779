using System.Globalization;
using CsvHelper;
using CsvHelper.Configuration;

namespace Dunlin.Optimizer.Data;

/// <summary>A CSV of file and label (RFC 4180), files relative to it; a first row that names no image is a header, which may say where the two columns are.</summary>
internal static class CsvListing
{
    private static readonly string[] FileHeaders = ["file", "path", "image", "filename"], LabelHeaders = ["label", "class"];

    /// <exception cref="InvalidDataException">Not a CSV, a row lacks a column, a file is named twice, or there are no rows.</exception>
    public static DataListing Read(string path)
    {
        using var reader = new StreamReader(path);
        using var parser = new CsvParser(reader, new CsvConfiguration(CultureInfo.InvariantCulture) { TrimOptions = TrimOptions.Trim });
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var samples = new List<ImageSample>();
        var names = new HashSet<string>();
        var (file, label) = (0, 1);
        try
        {
            for (var isFirst = true; parser.Read(); isFirst = false)
            {
                var row = parser.Record ?? [];
                if (isFirst && IsHeader(row, folder))
                {
                    (file, label) = Columns(row, path);
                    continue;
                }

                if (row.Length <= Math.Max(file, label) || row[file].Length == 0 || row[label].Length == 0)
                    throw new InvalidDataException($"Line {parser.RawRow} of '{path}' has no file and label; write file,label, in quotes where a comma is part of them.");
                if (!names.Add(row[file])) throw new InvalidDataException($"Line {parser.RawRow} of '{path}' names '{row[file]}' again; list each file once.");
                samples.Add(new FileSample(row[file], row[label], Path.Combine(folder, row[file])));
            }
        }
        catch (CsvHelperException error)
        {
            throw new InvalidDataException($"Line {parser.RawRow} of '{path}' is not CSV: {error.Message.Split('\n')[0].TrimEnd()}", error);
        }

        if (samples.Count == 0) throw new InvalidDataException($"'{path}' lists no images; write a row file,label for each.");
        var classes = samples.Select(s => s.ClassName).Distinct().Order(StringComparer.Ordinal).ToList();
        var areNumbers = classes.All(c => c.All(char.IsAsciiDigit));
        return new DataListing(samples, areNumbers ? [.. classes.OrderBy(c => c.Length).ThenBy(c => c, StringComparer.Ordinal)] : classes, areNumbers);
    }

    private static bool IsHeader(string[] row, string folder) => row.Length > 0 && !row.Any(ClassFolders.IsImage) && !File.Exists(Path.Combine(folder, row[0]));

    // Where only one of two is named, the other is the other one; of more, a guess would take a width for a class.
    private static (int File, int Label) Columns(string[] header, string path) => (Column(header, FileHeaders), Column(header, LabelHeaders)) switch
    {
        (null, null) => (0, 1),
        ({ } file, { } label) => (file, label),
        ({ } file, null) when header.Length == 2 => (file, 1 - file),
        (null, { } label) when header.Length == 2 => (1 - label, label),
        _ => throw new InvalidDataException($"The header of '{path}' ({string.Join(',', header)}) does not say where file and label both are; call the two columns 'file' and 'label'."),
    };

    private static int? Column(string[] header, string[] names) =>
        Array.FindIndex(header, h => names.Contains(h, StringComparer.OrdinalIgnoreCase)) is >= 0 and var at ? at : null;
}
