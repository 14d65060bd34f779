using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts.Manifests;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>What was done to a model travels in it, as ONNX metadata, until a manifest states it.</summary>
internal static class Provenance
{
    private const string Key = "dunlin.techniques";
    private const string CommandsKey = "dunlin.commands";

    /// <summary>Empty for a reference, and for a model that was not made here.</summary>
    /// <exception cref="InvalidDataException">The metadata is not ours.</exception>
    public static IReadOnlyList<Technique> Of(ModelProto model) => Read(model, Key, ProvenanceJson.Default.IReadOnlyListTechnique);

    /// <summary>Appends one step.</summary>
    public static void Add(ModelProto model, Technique technique) =>
        Write(model, Key, [.. Of(model), technique], ProvenanceJson.Default.IReadOnlyListTechnique);

    /// <summary>Nothing of what was done to its weights is true of new ones; the command lines that made its layers stay.</summary>
    public static void Forget(ModelProto model) => Write(model, Key, [], ProvenanceJson.Default.IReadOnlyListTechnique);

    /// <summary>The command lines that made the model, in order; empty for one that was not made here.</summary>
    /// <exception cref="InvalidDataException">The metadata is not ours.</exception>
    public static IReadOnlyList<string> CommandsOf(ModelProto model) => Read(model, CommandsKey, ProvenanceJson.Default.IReadOnlyListString);

    /// <summary>Appends the command line that is being carried out, so that a report can say how to make the model again.</summary>
    public static void AddCommand(ModelProto model, ParseResult arguments) =>
        Write(model, CommandsKey, [.. CommandsOf(model), CommandLine.Of(arguments)], ProvenanceJson.Default.IReadOnlyListString);

    private static IReadOnlyList<T> Read<T>(ModelProto model, string key, JsonTypeInfo<IReadOnlyList<T>> type)
    {
        if (model.MetadataProps.FirstOrDefault(p => p.Key == key) is not { } entry) return [];
        try
        {
            return JsonSerializer.Deserialize(entry.Value, type) ?? [];
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The model's metadata '{key}' is not a list as dunlin-optimizer writes it: {error.Message}", error);
        }
    }

    private static void Write<T>(ModelProto model, string key, IReadOnlyList<T> values, JsonTypeInfo<IReadOnlyList<T>> type)
    {
        var entry = model.MetadataProps.FirstOrDefault(p => p.Key == key);
        if (entry is null) model.MetadataProps.Add(entry = new StringStringEntryProto { Key = key });
        entry.Value = JsonSerializer.Serialize(values, type);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<Technique>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class ProvenanceJson : JsonSerializerContext;
