using System.Text.Json.Serialization;

namespace Dunlin.Optimizer.Search;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DictionaryKeyPolicy = JsonKnownNamingPolicy.Unspecified, UseStringEnumConverter = true)]
[JsonSerializable(typeof(StudyRecipe))]
[JsonSerializable(typeof(StudyRecord))]
[JsonSerializable(typeof(MeasuredImages))]
[JsonSerializable(typeof(Build))]
[JsonSerializable(typeof(Start))]
[JsonSerializable(typeof(Trained))]
[JsonSerializable(typeof(Quantized))]
[JsonSerializable(typeof(StepDecision))]
[JsonSerializable(typeof(KernelStep))]
[JsonSerializable(typeof(LearningRate))]
[JsonSerializable(typeof(Kept))]
[JsonSerializable(typeof(TrainingPlan))]
[JsonSerializable(typeof(Dictionary<string, BuildTime>), TypeInfoPropertyName = "Times")]
internal sealed partial class StudyJson : JsonSerializerContext;
