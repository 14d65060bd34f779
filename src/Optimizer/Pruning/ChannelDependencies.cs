using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Pruning;

/// <summary>A layer that makes channels: its weights, and the axis of them along which its outputs lie.</summary>
internal readonly record struct ChannelProducer(NodeProto Node, string Weights, int Axis);

/// <summary>A number in the graph that says how many places an axis has, to be written anew when some are gone.</summary>
/// <param name="Labels">Of the places that it counts.</param>
/// <param name="Write">Takes the new count.</param>
internal readonly record struct ChannelCount(int[] Labels, Action<ModelGraph, long> Write);

/// <summary>
/// What depends on what when channels are removed, after DepGraph (Fang et al. 2023), but by places instead of layers: rules of the
/// operators join the places of their inputs, outputs and weights, so that residual additions, concatenations, depthwise and grouped
/// convolutions, normalization and flattening need no cases of their own afterwards.
/// </summary>
internal sealed class ChannelDependencies
{
    /// <summary>Why channels stay in every model; all other reasons name a node.</summary>
    public const string InputStays = "it is the model's input", ClassesStay = "they are the model's classes";

    private readonly List<ChannelProducer> _producers = [];
    private readonly List<ChannelCount> _counts = [];

    private ChannelDependencies(ModelGraph graph)
    {
        Graph = graph;
        Units = new ChannelUnits(graph.Shapes.TryGet);
    }

    public ModelGraph Graph { get; }

    public ChannelUnits Units { get; }

    public IReadOnlyList<ChannelProducer> Producers => _producers;

    public IReadOnlyList<ChannelCount> Counts => _counts;

    /// <summary>All axes of weights along which channels lie: filters, columns, and the gain of normalization; no biases or statistics.</summary>
    public IEnumerable<WeightSlice> WeightSlices
    {
        get
        {
            var weights = LayerWeights.Of(Graph);
            weights.UnionWith(Graph.Nodes.Where(n => n.OpType == "BatchNormalization").Select(n => n.Input[1]));
            foreach (var tensor in Graph.Model.Graph.Initializer.Where(t => Tensors.IsFloat(t) && weights.Contains(t.Name)))
                for (var axis = 0; axis < tensor.Dims.Count; axis++)
                    if (Units.TryAlong(tensor.Name, axis) is { } labels) yield return new WeightSlice(tensor, axis, labels);
        }
    }

    public static ChannelDependencies Of(ModelGraph graph)
    {
        var result = new ChannelDependencies(graph);
        result.Units.Fix(graph.Input.Name, InputStays);
        result.Units.Fix(graph.Output, ClassesStay);
        foreach (var node in graph.Nodes) ChannelRules.Apply(node, result);
        return result;
    }

    public int[] Along(string value, int axis) => Units.Along(value, axis);

    public long[] ShapeOf(string value) => Graph.Shapes[value];

    public void Join(string first, int firstAxis, string second, int secondAxis) => Units.Join(Along(first, firstAxis), Along(second, secondAxis));

    public void Produces(NodeProto node, string weights, int axis)
    {
        if (Graph.Constant(weights) is not null) _producers.Add(new ChannelProducer(node, weights, axis));
    }

    public void Count(int[] labels, Action<ModelGraph, long> write) => _counts.Add(new ChannelCount(labels, write));

    /// <summary>Nothing that the node touches may change.</summary>
    public void Fix(NodeProto node)
    {
        foreach (var value in node.Input.Concat(node.Output))
            if (value.Length > 0) Units.Fix(value, $"{Nodes.Named(node)} needs all of them");
    }

    public void Fix(NodeProto node, string value, int axis) => Units.Fix(Along(value, axis), $"{Nodes.Named(node)} needs all of them");
}
