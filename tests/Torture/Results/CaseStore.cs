using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Torture.Results;

/// <summary>How one case ended.</summary>
/// <param name="Name">Unique in its area.</param>
/// <param name="Passed">The promise held.</param>
/// <param name="Detail">What was seen.</param>
/// <param name="Seconds">How long it took.</param>
/// <param name="Numbers">What was measured, with the unit in the name.</param>
internal sealed record CaseResult(string Name, bool Passed, string Detail, double Seconds, IReadOnlyDictionary<string, double> Numbers);

/// <summary>The results of one area, a line a case: a run that was cut goes on where it ended. Cases that failed are tried again.</summary>
internal sealed class CaseStore
{
    private readonly string _file;
    private readonly Dictionary<string, CaseResult> _cases = [];

    public CaseStore(string folder, string area)
    {
        Directory.CreateDirectory(folder);
        _file = Path.Combine(folder, area + ".jsonl");
        if (!File.Exists(_file)) return;
        foreach (var line in File.ReadLines(_file))
        {
            try
            {
                if (JsonSerializer.Deserialize(line, CaseJson.Default.CaseResult) is { } known) _cases[known.Name] = known;
            }
            catch (JsonException)
            {
                // The line that was being written when the run was cut.
            }
        }
    }

    public IReadOnlyCollection<CaseResult> Cases => _cases.Values;

    public bool IsDone(string name) => _cases.TryGetValue(name, out var known) && known.Passed;

    public void Add(CaseResult result)
    {
        _cases[result.Name] = result;
        File.AppendAllText(_file, JsonSerializer.Serialize(result, CaseJson.Default.CaseResult) + "\n");
        Console.WriteLine($"{(result.Passed ? "ok  " : "FAIL")} {result.Name}: {result.Detail} ({result.Seconds:0.0} s)");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CaseResult))]
internal sealed partial class CaseJson : JsonSerializerContext;
