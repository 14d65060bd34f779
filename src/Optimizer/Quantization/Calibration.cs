using System.Numerics;
using Dunlin.Optimizer.Graph;

namespace Dunlin.Optimizer.Quantization;

/// <summary>How the range of an activation is found from what calibration images make of it.</summary>
internal enum CalibrationMethod
{
    /// <summary>From the smallest to the largest value: nothing is clipped, and one outlier costs all others resolution.</summary>
    MinMax,

    /// <summary>Clips the same small share of values at either end.</summary>
    Percentile,

    /// <summary>
    /// Clips where the mean squared error of clipping and rounding together is least. An image with a larger mean square than the median one counts as
    /// much less: one on which a network answers a hundred times louder than on all others has a vote, and not the grid of all.
    /// </summary>
    Mse,
}

/// <summary>Runs the float model by ONNX Runtime with its intermediate results as outputs, and finds a range for each.</summary>
internal static class Calibration
{
    /// <summary>Clipping is looked for within so many times what the median image reaches, so that one image does not take the resolution from the search.</summary>
    private const float Headroom = 4;

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
        var extents = tensors.ToDictionary(t => t, _ => new Extent());
        Each((tensor, values) => extents[tensor].Add(values));
        if (extents.Values.Any(e => e.All.Low > e.All.High)) throw new InvalidDataException("There are no calibration images; give at least one.");
        if (method == CalibrationMethod.MinMax) return extents.ToDictionary(e => e.Key, e => e.Value.All);

        var isMse = method == CalibrationMethod.Mse;
        var histograms = extents.ToDictionary(e => e.Key, e => new ActivationHistogram(isMse ? e.Value.Usual : e.Value.All));
        Each((tensor, values) => histograms[tensor].Add(values, isMse ? extents[tensor].WeightOf(values) : 1));
        return histograms.ToDictionary(h => h.Key, h => isMse ? h.Value.LeastSquares() : h.Value.Within(percentile / 100));

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

    private static double MeanSquare(ReadOnlySpan<float> values)
    {
        var (sum, i) = (0.0, 0);
        for (; i <= values.Length - Vector<float>.Count; i += Vector<float>.Count) sum += Vector.Dot(new Vector<float>(values[i..]), new Vector<float>(values[i..]));
        for (; i < values.Length; i++) sum += values[i] * values[i];
        return sum / values.Length;
    }

    private delegate void ActivationSink(string tensor, ReadOnlySpan<float> values);

    /// <summary>What a tensor reaches: on all images, and on one as a rule.</summary>
    private sealed class Extent
    {
        private readonly List<double> _lows = [], _highs = [], _squares = [];
        private double? _usualSquare;

        public TensorRange All { get; private set; } = TensorRange.Empty;

        /// <summary>An end that most images do not reach at all stays what it is.</summary>
        public TensorRange Usual => All.Within(new TensorRange(
            Median(_lows) is < 0 and var low ? (float)(Headroom * low) : float.NegativeInfinity, Median(_highs) is > 0 and var high ? (float)(Headroom * high) : float.PositiveInfinity));

        public void Add(ReadOnlySpan<float> image)
        {
            var range = TensorRange.Empty.With(image);
            All = All.With(range);
            _lows.Add(Math.Min(range.Low, 0));
            _highs.Add(Math.Max(range.High, 0));
            _squares.Add(MeanSquare(image));
        }

        /// <summary>Of an image that was added, 0…1: what makes a loud one as loud as the median one.</summary>
        public double WeightOf(ReadOnlySpan<float> image)
        {
            var (usual, square) = (_usualSquare ??= Median(_squares), MeanSquare(image));
            return usual > 0 && square > usual ? usual / square : 1;
        }

        private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
    }
}
