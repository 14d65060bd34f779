using System.Globalization;
using System.Text.Json;

namespace Dunlin.Optimizer.Data;

/// <summary>Which of the model's outputs stands for which class of the data.</summary>
internal sealed class ClassMap
{
    /// <summary>Of a new model: a greater number in a CSV is a mistake.</summary>
    private const int LargestOutput = 100_000;

    private readonly Dictionary<string, int> _outputs;

    private ClassMap(IReadOnlyList<string> names, Dictionary<string, int> outputs) => (Names, _outputs) = (names, outputs);

    /// <summary>By output.</summary>
    public IReadOnlyList<string> Names { get; }

    /// <summary>The output that is right for an image.</summary>
    public int LabelOf(ImageSample sample) => OutputOf(sample.ClassName);

    /// <summary>The output that stands for a class of the data.</summary>
    public int OutputOf(string className) => _outputs[className];

    /// <summary>
    /// By the labels, if there are any: a line (or a JSON string) for each output. Else numbers are outputs, and names are the
    /// outputs in sorted order.
    /// </summary>
    /// <exception cref="InvalidDataException">They do not match.</exception>
    public static ClassMap Of(DataListing data, IReadOnlyList<string>? labels, int outputCount)
    {
        if (labels is not null && labels.Count != outputCount)
            throw new InvalidDataException($"There are {labels.Count} labels, but the model has {outputCount} outputs; give one line for each output.");
        if (labels is not null && Named(data, labels) is { } named) return named;
        if (data.ClassesAreNumbers) return Numbered(data, labels, outputCount);
        if (labels is not null)
        {
            var missing = data.ClassNames.Where(c => !labels.Contains(c)).ToList();
            throw new InvalidDataException($"{missing.Count} of {data.ClassNames.Count} classes of the data are not among the labels, first '{missing[0]}'; name the classes as the labels do (first '{labels[0]}').");
        }

        if (data.ClassNames.Count != outputCount)
            throw new InvalidDataException($"The data has {data.ClassNames.Count} classes ({string.Join(", ", data.ClassNames.Take(3))}…), but the model has {outputCount} outputs; say with --labels FILE what each output is called.");
        return new ClassMap(data.ClassNames, Places(data.ClassNames));
    }

    /// <summary>How many outputs a new model of this data needs.</summary>
    public static int OutputCount(DataListing data, IReadOnlyList<string>? labels) =>
        labels?.Count ?? (data.ClassesAreNumbers && int.TryParse(data.ClassNames[^1], NumberStyles.None, CultureInfo.InvariantCulture, out var last) && last < LargestOutput ? last + 1 : data.ClassNames.Count);

    /// <summary>Lines of a text file, or an array of strings in a JSON file. The last line may be empty.</summary>
    /// <exception cref="InvalidDataException">No such file, or no labels in it.</exception>
    public static IReadOnlyList<string> ReadLabels(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There are no labels '{path}'; write a line for each output of the model.", path);
        var lines = path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) ? Json(path) : File.ReadAllText(path).TrimEnd().Split('\n').Select(l => l.Trim()).ToArray();
        var empty = Array.FindIndex(lines, string.IsNullOrEmpty);
        return empty < 0 ? lines : throw new InvalidDataException($"Label {empty + 1} of '{path}' is empty; write a line for each output of the model.");
    }

    // A name that two outputs share says of neither what it is, unless the data does not use it.
    private static ClassMap? Named(DataListing data, IReadOnlyList<string> labels)
    {
        if (data.ClassNames.Except(labels).Any()) return null;
        var twice = data.ClassNames.FirstOrDefault(c => labels.Count(l => l == c) > 1);
        if (twice is not null) throw new InvalidDataException($"Two outputs are called '{twice}', a class of the data; make the labels differ, or write output numbers into a CSV.");
        return new ClassMap(labels, Places(labels));
    }

    private static ClassMap Numbered(DataListing data, IReadOnlyList<string>? labels, int outputCount)
    {
        var outputs = new Dictionary<string, int>();
        foreach (var name in data.ClassNames)
            outputs[name] = int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out var output) && output < outputCount
                ? output
                : throw new InvalidDataException($"The data has a label {name}, but the model's outputs are 0 to {outputCount - 1}; correct the label.");
        return new ClassMap(labels ?? [.. Enumerable.Range(0, outputCount).Select(i => i.ToString(CultureInfo.InvariantCulture))], outputs);
    }

    private static Dictionary<string, int> Places(IReadOnlyList<string> names)
    {
        var places = new Dictionary<string, int>();
        for (var i = 0; i < names.Count; i++) places.TryAdd(names[i], i);
        return places;
    }

    private static string[] Json(string path)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path));
            return [.. document.RootElement.EnumerateArray().Select(e => e.GetString() ?? "")];
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{path}' is not a JSON array of strings: {error.Message}", error);
        }
    }
}
