using Google.Protobuf.Collections;
using Onnx;

namespace Dunlin.Optimizer.Graph;

/// <summary>
/// Brings the scores of one image into one row, as devices and all that judges want them: where a classifier ends in pooling, as SqueezeNet,
/// they are 1×classes×1×1.
/// </summary>
internal static class FlatScores
{
    /// <summary>Appends a Flatten where only one axis of the output is longer than 1; the output keeps its name.</summary>
    /// <returns>Whether it was needed.</returns>
    public static bool Apply(ModelGraph graph)
    {
        var shape = graph.Shapes[graph.Output];
        if (shape.Length < 3 || shape[0] != graph.Input.Shape[0] || shape.Skip(1).Count(size => size != 1) > 1) return false;
        var (scores, before) = (graph.Output, graph.FreshName($"{graph.Output}.unflat"));
        foreach (var node in graph.Nodes)
        {
            Rename(node.Input, scores, before);
            Rename(node.Output, scores, before);
        }

        var flatten = Nodes.Make("Flatten", [before], scores, Nodes.Int("axis", 1));
        flatten.Name = graph.FreshName($"{scores}.flatten");
        graph.Model.Graph.Node.Add(flatten);
        if (graph.Model.Graph.Output[0].Type?.TensorType is { Shape.Dim: [var batch, ..] } declared)
            declared.Shape = new TensorShapeProto { Dim = { batch.Clone(), new TensorShapeProto.Types.Dimension { DimValue = shape.Skip(1).Max() } } };
        graph.Changed();
        return true;
    }

    private static void Rename(RepeatedField<string> values, string from, string to)
    {
        for (var i = 0; i < values.Count; i++)
            if (values[i] == from) values[i] = to;
    }
}
