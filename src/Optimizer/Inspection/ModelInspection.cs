using System.Text.Json;
using System.Text.Json.Serialization;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Pruning;

namespace Dunlin.Optimizer.Inspection;

/// <summary>Everything that <c>inspect</c> tells.</summary>
internal sealed record ModelInspection(
    string Producer, long IrVersion, IReadOnlyDictionary<string, long> OperatorSets, TensorInspection Input, TensorInspection Output, bool HasOpenBatch,
    long ParameterCount, long Macs, long ByteCount, IReadOnlyList<LayerFacts> Layers, IReadOnlyList<GroupInspection> ChannelGroups)
{
    public static ModelInspection Of(ModelGraph graph)
    {
        var facts = GraphFacts.Of(graph);
        var dependencies = ChannelDependencies.Of(graph);
        return new ModelInspection(
            graph.Model.ProducerName,
            graph.Model.IrVersion,
            graph.Model.OpsetImport.GroupBy(o => o.Domain.Length > 0 ? o.Domain : "ai.onnx").ToDictionary(g => g.Key, g => g.First().Version),
            new TensorInspection(graph.Input.Name, graph.Input.Shape),
            new TensorInspection(graph.Output, graph.Shapes[graph.Output]),
            graph.Input.HasOpenBatch,
            facts.ParameterCount,
            facts.Macs,
            facts.ByteCount,
            facts.Layers,
            [.. PruneGroup.Of(dependencies).Select(g => GroupInspection.Of(g, dependencies))]);
    }

    public string ToJson() => JsonSerializer.Serialize(this, InspectionJson.Default.ModelInspection);
}

/// <summary>An end of the model.</summary>
internal sealed record TensorInspection(string Name, IReadOnlyList<long> Shape);

/// <summary>Channels that are removed together.</summary>
/// <param name="Layers">That make them.</param>
/// <param name="ChannelCount">How many each of these layers has of them.</param>
/// <param name="ChannelsPerUnit">How many of them go at once: more than one in grouped convolutions.</param>
/// <param name="WhyFixed">Why none may be removed; null if they may.</param>
internal sealed record GroupInspection(IReadOnlyList<string> Layers, int ChannelCount, int ChannelsPerUnit, string? WhyFixed)
{
    public static GroupInspection Of(PruneGroup group, ChannelDependencies dependencies)
    {
        var perUnit = group.ChannelsPerUnit(dependencies);
        return new GroupInspection([.. group.Producers.Select(p => p.Node.Name)], group.Units.Count * perUnit, perUnit, group.WhyFixed);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(ModelInspection))]
internal sealed partial class InspectionJson : JsonSerializerContext;
