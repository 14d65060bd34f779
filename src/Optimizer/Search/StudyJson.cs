using System.Text.Json.Serialization;

namespace Dunlin.Optimizer.Search;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(StudyRecipe))]
[JsonSerializable(typeof(StudyRecord))]
internal sealed partial class StudyJson : JsonSerializerContext;
