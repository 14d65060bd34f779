using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Contracts.Manifests;
using Onnx;

namespace Dunlin.Optimizer.Data;

/// <summary>How images become a model's input, as ONNX metadata of what was made here: it was trained or calibrated that way, and nobody need say it again.</summary>
internal static class InputMark
{
    private const string Key = "dunlin.input";

    public static void Write(ModelProto model, InputSpec input)
    {
        var options = new InputOptions(input.Channels, input.Mean, [.. input.Scale.Select(s => 1 / s)], input.Fit, input.CropFraction);
        var entry = model.MetadataProps.FirstOrDefault(p => p.Key == Key);
        if (entry is null) model.MetadataProps.Add(entry = new StringStringEntryProto { Key = Key });
        entry.Value = JsonSerializer.Serialize(options, InputMarkJson.Default.InputOptions);
    }

    /// <summary>Null for a model that was not made here.</summary>
    /// <exception cref="InvalidDataException">The metadata is not ours.</exception>
    public static InputOptions? Of(ModelProto model)
    {
        if (model.MetadataProps.FirstOrDefault(p => p.Key == Key) is not { } entry) return null;
        try
        {
            return JsonSerializer.Deserialize(entry.Value, InputMarkJson.Default.InputOptions);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"The model's metadata '{Key}' does not say how images become its input: {error.Message}", error);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true)]
[JsonSerializable(typeof(InputOptions))]
internal sealed partial class InputMarkJson : JsonSerializerContext;
