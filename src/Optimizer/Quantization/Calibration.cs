using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Quantization;

/// <summary>How the range of an activation is found from what calibration images make of it.</summary>
internal enum CalibrationMethod
{
    /// <summary>From the smallest to the largest value: nothing is clipped, and one outlier costs all others resolution.</summary>
    MinMax,

    /// <summary>Clips the same small share of values at either end.</summary>
    Percentile,

    /// <summary>Clips where the mean squared error of clipping and rounding together is least.</summary>
    Mse,
}

/// <summary>Runs the float model by ONNX Runtime with its intermediate results as outputs, and finds a range for each.</summary>
internal static class Calibration
{
    /// <param name="graph">A float model.</param>
    /// <param name="tensors">What to measure.</param>
    /// <param name="images">Preprocessed inputs, one at a time; the memory may be reused. Gone through twice, but for min-max.</param>
    /// <param name="method">How to clip.</param>
    /// <param name="percentile">What stays within the range at either end, for <see cref="CalibrationMethod.Percentile"/>: 99.999, for example.</param>
    /// <param name="cancellationToken">Checked before each image.</param>
    /// <exception cref="InvalidDataException">There is no image, or the model computes what is not finite.</exception>
    public static Dictionary<string, TensorRange> Measure(
        ModelGraph graph, IReadOnlyList<string> tensors, IEnumerable<float[]> images, CalibrationMethod method, double percentile, CancellationToken cancellationToken)
    {
        var computed = tensors.Where(t => t != graph.Input.Name).ToList();
        using var run = new ModelRun(graph.Model, graph.Input, computed);
        var ranges = tensors.ToDictionary(t => t, _ => TensorRange.Empty);
        Each((tensor, values) => ranges[tensor] = ranges[tensor].With(values));
        if (ranges.Values.Any(r => r.Low > r.High)) throw new InvalidDataException("There are no calibration images; give at least one.");
        if (method == CalibrationMethod.MinMax) return ranges;

        var histograms = ranges.ToDictionary(r => r.Key, r => new ActivationHistogram(r.Value));
        Each((tensor, values) => histograms[tensor].Add(values));
        return histograms.ToDictionary(h => h.Key, h => method == CalibrationMethod.Mse ? h.Value.LeastSquares() : h.Value.Within(percentile / 100));

        void Each(ActivationSink sink)
        {
            foreach (var image in images)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (computed.Count < tensors.Count) sink(graph.Input.Name, image);
                using var results = run.Run(image);
                for (var i = 0; i < computed.Count; i++) sink(computed[i], results[i].GetTensorDataAsSpan<float>());
            }
        }
    }

    private delegate void ActivationSink(string tensor, ReadOnlySpan<float> values);
}
