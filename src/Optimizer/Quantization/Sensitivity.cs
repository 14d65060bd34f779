namespace Dunlin.Optimizer.Quantization;

/// <summary>What quantizing one layer alone does to the answers.</summary>
/// <param name="Layer">The node's name.</param>
/// <param name="Divergence">Mean Kullback-Leibler divergence of the scores from the float model's, in nats.</param>
internal sealed record LayerSensitivity(string Layer, double Divergence)
{
    /// <summary>Every layer of the plan, the worst first.</summary>
    /// <param name="quantization">Calibrated.</param>
    /// <param name="images">Preprocessed calibration images.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public static IReadOnlyList<LayerSensitivity> Measure(PostTraining quantization, IReadOnlyList<float[]> images, CancellationToken cancellationToken)
    {
        var graph = quantization.Plan.Graph;
        var reference = Scores.Of(graph.Model, graph.Input, images, cancellationToken);
        return [.. quantization.Plan.Layers
            .Select(layer => new LayerSensitivity(layer.Name, reference.Divergence(Scores.Of(quantization.Only(layer), graph.Input, images, cancellationToken))))
            .OrderByDescending(s => s.Divergence)];
    }
}
