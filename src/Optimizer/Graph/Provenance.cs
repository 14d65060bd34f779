using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Contracts.Manifests;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>What was done to a model travels in it, as ONNX metadata, until a manifest states it.</summary>
internal static class Provenance
{
    private const string Key = "dunlin.techniques";

    /// <summary>Empty for a reference, and for a model that was not made here.</summary>
    /// <exception cref="InvalidDataException">The metadata is not ours.</exception>
    public static IReadOnlyList<Technique> Of(ModelProto model)
    {
        if (model.MetadataProps.FirstOrDefault(p => p.Key == Key) is not { } entry) return [];
        try
        {
            return JsonSerializer.Deserialize(entry.Value, ProvenanceJson.Default.IReadOnlyListTechnique) ?? [];
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The model's metadata '{Key}' is not a list of techniques: {error.Message}", error);
        }
    }

    /// <summary>Appends one step.</summary>
    public static void Add(ModelProto model, Technique technique)
    {
        var steps = Of(model).Append(technique).ToList();
        var entry = model.MetadataProps.FirstOrDefault(p => p.Key == Key);
        if (entry is null) model.MetadataProps.Add(entry = new StringStringEntryProto { Key = Key });
        entry.Value = JsonSerializer.Serialize(steps, ProvenanceJson.Default.IReadOnlyListTechnique);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(IReadOnlyList<Technique>))]
internal sealed partial class ProvenanceJson : JsonSerializerContext;
