using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Training;

/// <summary>How many images can be trained on at once.</summary>
internal static class ActivationMemory
{
    /// <summary>What the activations and their gradients may take, in bytes, so that a machine of 2 GB trains.</summary>
    private const long Budget = 1L << 30;

    /// <summary>Normalization over fewer images is noise.</summary>
    private const int Fewest = 8;

    /// <param name="graph">All its results are kept until the gradients are computed.</param>
    /// <param name="most">At most so many.</param>
    public static int BatchSize(ModelGraph graph, int most)
    {
        var floats = graph.Nodes.SelectMany(n => n.Output).Sum(o => graph.Shapes.TryGet(o)?.Aggregate(1L, (a, b) => a * b) ?? 0);
        return (int)Math.Clamp(Budget / Math.Max(2 * sizeof(float) * floats, 1), Math.Min(Fewest, most), most);
    }
}
