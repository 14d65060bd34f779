using System.Text.Json;
using System.Text.Json.Serialization;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary>What each output is called, as ONNX metadata of what was made here of a model with labels: their file lies beside that model only.</summary>
internal static class LabelMark
{
    private const string Key = "dunlin.labels";

    public static void Write(ModelProto model, IReadOnlyList<string> labels)
    {
        var entry = model.MetadataProps.FirstOrDefault(p => p.Key == Key);
        if (entry is null) model.MetadataProps.Add(entry = new StringStringEntryProto { Key = Key });
        entry.Value = JsonSerializer.Serialize(labels, LabelMarkJson.Default.IReadOnlyListString);
    }

    /// <summary>Null for a model that was made without labels.</summary>
    /// <exception cref="InvalidDataException">The metadata is not ours.</exception>
    public static IReadOnlyList<string>? Of(ModelProto model)
    {
        if (model.MetadataProps.FirstOrDefault(p => p.Key == Key) is not { } entry) return null;
        try
        {
            return JsonSerializer.Deserialize(entry.Value, LabelMarkJson.Default.IReadOnlyListString);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The model's metadata '{Key}' does not say what its outputs are called: {error.Message}", error);
        }
    }
}

[JsonSerializable(typeof(IReadOnlyList<string>))]
internal sealed partial class LabelMarkJson : JsonSerializerContext;
