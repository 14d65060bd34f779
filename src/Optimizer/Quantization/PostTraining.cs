using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Graph;
using Onnx;

namespace Dunlin.Optimizer.Quantization;

/// <summary>A classifier, measured on calibration images, from which quantized models are made: whole, with layers kept in float, or with one layer only.</summary>
internal sealed class PostTraining
{
    private readonly IReadOnlyDictionary<string, TensorRange> _ranges;
    private readonly IReadOnlyList<float[]> _correctionImages;

    private PostTraining(QuantizationPlan plan, QuantizationOptions options, IReadOnlyDictionary<string, TensorRange> ranges, IReadOnlyList<float[]> correctionImages) =>
        (Plan, Options, _ranges, _correctionImages) = (plan, options, ranges, correctionImages);

    /// <summary>For all layers that can be quantized; its graph is the float model in the form that is quantized.</summary>
    public QuantizationPlan Plan { get; }

    public QuantizationOptions Options { get; }

    /// <summary>Steps of training on the grids; 0 where there was none.</summary>
    public int TrainedSteps { get; private init; }

    /// <param name="graph">Is brought into the form that quantizes best; its scores stay the same.</param>
    /// <param name="images">For calibration: preprocessed, one at a time; the memory may be reused. Gone through up to four times.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    /// <exception cref="InvalidDataException">The model is quantized already, or cannot be; the message says why.</exception>
    public static PostTraining Calibrate(ModelGraph graph, IEnumerable<float[]> images, QuantizationOptions options, CancellationToken cancellationToken)
    {
        // Said before anything is done.
        _ = QuantizationPlan.Of(graph);
        OpsetRaising.Apply(graph);
        BatchNormFolding.Apply(graph);
        IntegerForms.Apply(graph);
        if (options.CorrectBias) BiasCorrection.AddMissing(graph);
        var plan = QuantizationPlan.Of(graph);
        var ranges = Calibration.Measure(graph, plan.Tensors, images, options.Calibration, options.Percentile, cancellationToken);
        return new PostTraining(plan, options, ranges, options.CorrectBias ? Spread(images, BiasCorrection.ImageCount(graph)) : []);
    }

    /// <param name="keepFloat">Nodes, by name, that stay float.</param>
    /// <param name="cancellationToken">Checked before each layer.</param>
    public QuantizedModel Quantize(IReadOnlySet<string> keepFloat, CancellationToken cancellationToken)
    {
        var plan = keepFloat.Count == 0 ? Plan : QuantizationPlan.Of(Plan.Graph, keepFloat);
        var model = QdqQuantizer.Quantize(plan, _ranges, Options.Target);
        return new QuantizedModel(model, Options.CorrectBias ? BiasCorrection.Apply(plan, model, _correctionImages, cancellationToken) : null);
    }

    /// <summary>The same after its graph's weights were trained for <see cref="Grids"/>: their float results are no measure any more that biases could be corrected by.</summary>
    /// <param name="steps">Of that training.</param>
    public PostTraining AfterTraining(int steps) => new(Plan, Options with { CorrectBias = false }, _ranges, []) { TrainedSteps = steps };

    /// <summary>How it is quantized, as a manifest tells it.</summary>
    /// <param name="imageCount">That calibrated.</param>
    /// <param name="keptFloatCount">Layers that stayed in float.</param>
    public Technique Technique(int imageCount, int keptFloatCount) => Options.Technique(imageCount, keptFloatCount, TrainedSteps);

    /// <summary>The whole model's grids, for torch.</summary>
    public FakeQuantization Grids() => new(Plan, _ranges, Options.Target);

    /// <summary>The model with one layer quantized and all else in float.</summary>
    public ModelProto Only(NodeProto layer)
    {
        var others = Plan.Graph.Nodes.Where(n => n != layer).Select(n => n.Name).ToHashSet();
        return QdqQuantizer.Quantize(QuantizationPlan.Of(Plan.Graph, others), _ranges, Options.Target);
    }

    // Class mostly stands behind class: the first images would be of one.
    private static List<float[]> Spread(IEnumerable<float[]> images, int most)
    {
        long count = images.Count(), kept = Math.Min(most, count);
        return [.. images.Where((_, i) => (i + 1) * kept / count > i * kept / count).Select(i => (float[])i.Clone())];
    }
}

/// <summary>A result of quantization.</summary>
/// <param name="Model">In QDQ form.</param>
/// <param name="BiasError">The root mean square of the channels' mean errors that were corrected; null where biases are as trained.</param>
internal sealed record QuantizedModel(ModelProto Model, double? BiasError);
