using System.Text.Json;
using System.Text.Json.Serialization;

namespace Dunlin.Bench.Reporting;

/// <summary>All that one run measured.</summary>
internal sealed record ResultFile
{
    public required DateTimeOffset Started { get; init; }
    public required double Minutes { get; init; }
    public required MachineFacts Machine { get; init; }
    public required string Commit { get; init; }
    public required string Arguments { get; init; }
    public required IReadOnlyList<Measurement> Measurements { get; init; }

    public void Save(string path)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, JsonSerializer.Serialize(this, ResultJson.Default.ResultFile));
    }

    public static ResultFile Load(string path) => JsonSerializer.Deserialize(File.ReadAllText(path), ResultJson.Default.ResultFile)
        ?? throw new InvalidDataException($"'{path}' holds no results; run the bench again.");
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ResultFile))]
internal sealed partial class ResultJson : JsonSerializerContext;
