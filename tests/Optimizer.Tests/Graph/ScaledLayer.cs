using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Tests.Graph;

/// <summary>A network that knows what it knew, with one layer's numbers made larger or smaller.</summary>
internal static class ScaledLayer
{
    /// <summary>Multiplies a layer's weights, and its bias unless that is to stay.</summary>
    public static void Scale(this ModelGraph graph, string layer, float factor, bool withBias = true)
    {
        var node = graph.Model.Graph.Node.Single(n => n.Name == layer);
        foreach (var name in withBias ? node.Input.Skip(1) : node.Input.Skip(1).Take(1))
        {
            var tensor = graph.Constant(name)!;
            graph.SetConstant(Tensors.Of(name, [.. Tensors.Floats(tensor).Select(value => value * factor)], [.. tensor.Dims]));
        }
    }
}
