using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>Holds quantized models against the float model, on images that did not calibrate.</summary>
internal sealed class AccuracyCheck
{
    private readonly ModelInput _input;
    private readonly PixelSet _images;
    private readonly AccuracyLimit? _limit;
    private readonly CancellationToken _cancellationToken;

    /// <param name="graph">The float model, which is run at once.</param>
    /// <param name="images">Are not changed.</param>
    /// <param name="limit">Without one every model holds.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    public AccuracyCheck(ModelGraph graph, PixelSet images, AccuracyLimit? limit, CancellationToken cancellationToken)
    {
        (_input, _images, _limit, _cancellationToken) = (graph.Input, images, limit, cancellationToken);
        Labels = [.. Enumerable.Range(0, images.Count).Select(images.Label)];
        Reference = ScoresOf(graph.Model);
    }

    /// <summary>The right answers.</summary>
    public IReadOnlyList<int> Labels { get; }

    /// <summary>The float model's.</summary>
    public Scores Reference { get; }

    public Scores ScoresOf(ModelProto model) => Scores.Of(model, _input, _images.Tensors(), _cancellationToken);

    /// <returns>Null without a limit.</returns>
    public bool? Holds(Scores scores) => _limit?.Holds(Reference.Accuracy(Labels), scores.Accuracy(Labels), Reference.Agreement(scores));

    public bool Holds(QuantizedModel candidate) => _limit is null || Holds(ScoresOf(candidate.Model)) == true;
}
