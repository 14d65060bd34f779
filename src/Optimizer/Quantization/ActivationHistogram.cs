namespace Dunlin.Optimizer.Quantization;

/// <summary>
/// How often an activation took which value, in equal bins over its whole range. Calibration counts about a milliard values:
/// HdrHistogram takes whole numbers from zero up, in bins that grow, and MathNet looks for the bin among objects; an array needs one multiplication.
/// </summary>
internal sealed class ActivationHistogram
{
    /// <summary>Eight to a step of the widest grid.</summary>
    private const int BinCount = 2048;

    private const int SearchSteps = 50;
    private const double NarrowestShare = 0.2;

    private readonly double[] _bins = new double[BinCount];
    private readonly TensorRange _range;
    private readonly float _perBin;
    private double _count;

    /// <param name="range">Of the values that will come; what lies outside is taken for the nearest that does not.</param>
    public ActivationHistogram(TensorRange range)
    {
        _range = range;
        _perBin = BinCount / Math.Max(range.High - range.Low, float.Epsilon * 1024);
    }

    /// <param name="values">Of one image.</param>
    /// <param name="weight">Of each value.</param>
    public void Add(ReadOnlySpan<float> values, double weight = 1)
    {
        var (bins, low, perBin) = (_bins, _range.Low, _perBin);
        foreach (var value in values) bins[Math.Clamp((int)((value - low) * perBin), 0, BinCount - 1)] += weight;
        _count += weight * values.Length;
    }

    /// <summary>The range that leaves out at most 1 − share of the values at either end.</summary>
    public TensorRange Within(double share)
    {
        var outside = Math.Floor(_count * (1 - share));
        var (first, last) = (0, BinCount - 1);
        for (var seen = _bins[first]; seen <= outside && first < last; seen += _bins[++first]) { }
        for (var seen = _bins[last]; seen <= outside && last > first; seen += _bins[--last]) { }
        // An end that is not cut stays exact: the zero of a Relu, the six of a Relu6.
        return new TensorRange(first == 0 ? _range.Low : Value(first), last == BinCount - 1 ? _range.High : Value(last + 1));
    }

    /// <summary>The range whose 8-bit grid has the least mean squared error: both ends are drawn in together, then each alone.</summary>
    public TensorRange LeastSquares()
    {
        var best = (Range: _range, Error: Error(_range));
        foreach (var share in Shares()) Try(new TensorRange(_range.Low * share, _range.High * share));
        var together = best.Range;
        foreach (var share in Shares()) Try(together with { High = _range.High * share });
        var upper = best.Range;
        foreach (var share in Shares()) Try(upper with { Low = _range.Low * share });
        return best.Range;

        void Try(TensorRange range)
        {
            if (Error(range) is var error && error < best.Error) best = (range, error);
        }
    }

    /// <summary>Sum of squared errors of clipping and rounding, each bin at its middle.</summary>
    public double Error(TensorRange range)
    {
        var (scale, zero) = range.ToUInt8();
        var sum = 0.0;
        for (var i = 0; i < BinCount; i++)
        {
            if (_bins[i] == 0) continue;
            var value = i == 0 && _range.Low == 0 ? 0 : _range.Low + (i + 0.5f) / _perBin;
            var error = scale * (Math.Clamp(MathF.Round(value / scale) + zero, 0, byte.MaxValue) - zero) - value;
            sum += (double)error * error * _bins[i];
        }

        return sum;
    }

    private float Value(int bin) => _range.Low + bin / _perBin;

    private static IEnumerable<float> Shares() => Enumerable.Range(0, SearchSteps).Select(i => (float)(1 - i * (1 - NarrowestShare) / SearchSteps));
}
