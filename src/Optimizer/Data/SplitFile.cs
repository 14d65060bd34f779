using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Optimizer.Data;

/// <summary>A split as it lies on disk: written once, never over another, and checked by its own digest when it is read.</summary>
internal sealed record SplitFile(
    string Schema, Digest Id, int Seed, SplitShares Shares, bool HasTestSet, IReadOnlyDictionary<SplitPart, IReadOnlyDictionary<string, Digest>> Parts)
{
    private const string CurrentSchema = "dunlin.split.v1";

    /// <exception cref="IOException">The file is there already: whoever trained with it must be able to evaluate with it.</exception>
    public static void Save(DataSplit split, string path)
    {
        var full = Path.GetFullPath(path);
        if (File.Exists(full)) throw new IOException($"'{path}' is there already, and models may have been trained with it; name another file.");
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        var file = new SplitFile(CurrentSchema, split.Id, split.Seed, split.Shares, split.HasTestSet, split.Parts);
        DurableFile.Write(full, JsonSerializer.SerializeToUtf8Bytes(file, SplitJson.Default.SplitFile), overwrite: false);
    }

    /// <exception cref="InvalidDataException">Not a split, or one that was changed by hand.</exception>
    public static DataSplit Load(string path)
    {
        if (!File.Exists(path)) throw new FileNotFoundException($"There is no split '{path}'; make one with `dunlin-optimizer split`.", path);
        SplitFile? file;
        try
        {
            file = JsonSerializer.Deserialize(File.ReadAllBytes(path), SplitJson.Default.SplitFile);
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"'{path}' is not a split: {error.Message}", error);
        }

        if (file is not { Schema: CurrentSchema, Shares: not null, Parts: not null })
            throw new InvalidDataException($"'{path}' is not a split of the form {CurrentSchema}; make one with `dunlin-optimizer split`.");
        var split = new DataSplit(file.Seed, file.Shares, file.HasTestSet, file.Parts);
        return split.Id == file.Id ? split : throw new InvalidDataException($"'{path}' was changed: its parts do not have its digest. Bring the original back; images must not move between parts.");
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(SplitFile))]
internal sealed partial class SplitJson : JsonSerializerContext;
