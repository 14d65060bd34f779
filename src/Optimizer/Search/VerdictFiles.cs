using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Race;

namespace Dunlin.Optimizer.Search;

/// <summary>Verdicts of real boards: what <c>dunlin-agent race --json</c> prints and what boards publish retained, one or more a file.</summary>
internal static class VerdictFiles
{
    /// <exception cref="InvalidDataException">A file is none.</exception>
    public static IReadOnlyList<Verdict> Read(IEnumerable<FileInfo> files) => [.. files.SelectMany(f => Read(f.FullName))];

    private static List<Verdict> Read(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no verdict '{path}'; make one with `dunlin-agent race --json` on the board.", path);
        var verdicts = new List<Verdict>();
        try
        {
            var reader = new Utf8JsonReader(File.ReadAllBytes(path), new JsonReaderOptions { AllowMultipleValues = true });
            while (reader.Read()) verdicts.Add(JsonSerializer.Deserialize(ref reader, MessageJson.Default.Verdict)!);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not a verdict of a race: {error.Message}", error);
        }

        if (verdicts.Count == 0 || verdicts.Exists(v => v?.Schema != Verdict.CurrentSchema))
            throw new InvalidDataException($"'{path}' is not a verdict of the form {Verdict.CurrentSchema}; make one with `dunlin-agent race --json` on the board.");
        return verdicts;
    }
}
