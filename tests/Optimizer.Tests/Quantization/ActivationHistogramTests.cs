using Dunlin.Optimizer.Quantization;

namespace Dunlin.Optimizer.Tests.Quantization;

public sealed class ActivationHistogramTests
{
    /// <summary>A bell of a million values with one far out.</summary>
    private static readonly float[] WithOutlier = Values(outlier: 60);

    [Fact]
    public void PercentileAndLeastSquaresBeatMinMaxWhereThereAreOutliers()
    {
        var (all, histogram) = Fill(WithOutlier);
        var (whole, percentile, least) = (Error(all, WithOutlier), Error(histogram.Within(0.9999), WithOutlier), Error(histogram.LeastSquares(), WithOutlier));
        Assert.True(least < whole / 2, $"{least} where min-max has {whole}");
        Assert.True(percentile < whole, $"{percentile} where min-max has {whole}");
        float[] bell = [.. WithOutlier.Where(v => v < 60)];
        Assert.True(Error(histogram.Within(0.9999), bell) < Error(all, bell) / 20);
    }

    [Fact]
    public void WithoutOutliersLeastSquaresIsNoWorseThanMinMax()
    {
        var values = Values(outlier: 0);
        var (all, histogram) = Fill(values);
        Assert.True(Error(histogram.LeastSquares(), values) <= Error(all, values) * 1.001);
    }

    [Fact]
    public void AnEndWhereNothingIsCutStaysExact()
    {
        float[] relu6 = [.. Values(outlier: 0).Select(v => Math.Clamp(v * 4, 0, 6))];
        var (all, histogram) = Fill(relu6);
        Assert.Equal(new TensorRange(0, 6), all);
        Assert.Equal(all, histogram.Within(0.9999));
        Assert.Equal(0, histogram.LeastSquares().ToUInt8().ZeroPoint);
    }

    [Fact]
    public void ATensorOfOneValueKeepsIt()
    {
        var (all, histogram) = Fill([2, 2, 2]);
        Assert.Equal(all, histogram.Within(0.999));
        Assert.Equal(all, histogram.LeastSquares());
    }

    private static double Error(TensorRange range, float[] values)
    {
        var (scale, zero) = range.ToUInt8();
        return values.Sum(v => Math.Pow(scale * (Math.Clamp(MathF.Round(v / scale) + zero, 0, 255) - zero) - v, 2));
    }

    private static (TensorRange All, ActivationHistogram Histogram) Fill(float[] values)
    {
        var all = TensorRange.Empty.With(values);
        var histogram = new ActivationHistogram(all);
        histogram.Add(values);
        return (all, histogram);
    }

    private static float[] Values(float outlier)
    {
        var random = new Random(4);
        float[] values = [.. Enumerable.Range(0, 1_000_000).Select(_ => random.NextSingle() + random.NextSingle() + random.NextSingle() + random.NextSingle() - 2)];
        if (outlier > 0) values[0] = outlier;
        return values;
    }
}
