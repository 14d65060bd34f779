namespace Dunlin.Optimizer.Graph;

/// <summary>Tells filters and matrices from biases, slopes and what normalization has: not by their rank, which exporters choose.</summary>
internal static class LayerWeights
{
    /// <summary>The constants, by name, that layers multiply what they read by.</summary>
    public static HashSet<string> Of(ModelGraph graph) =>
        [.. graph.Nodes.Where(n => n.OpType is "Conv" or "ConvTranspose" or "Gemm" or "MatMul").SelectMany(n => n.Input.Take(2)).Where(i => graph.Constant(i) is not null)];
}
