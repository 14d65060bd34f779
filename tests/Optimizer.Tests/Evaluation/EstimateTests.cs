using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Tests.Evaluation;

public sealed class EstimateTests
{
    // Newcombe 1998 (Statistics in Medicine 17, 857–872), table I, method 3.
    [Theory]
    [InlineData(81, 263, 0.2553, 0.3662)]
    [InlineData(15, 148, 0.0624, 0.1605)]
    [InlineData(0, 20, 0, 0.1611)]
    [InlineData(1, 29, 0.0061, 0.1718)]
    public void TheIntervalIsTheKnownOne(int successes, int count, double low, double high)
    {
        var interval = Estimate.Of(successes, count);
        Assert.Equal(low, interval.Low, 1e-4);
        Assert.Equal(high, interval.High, 1e-4);
    }

    [Fact]
    public void AShareLiesWithinItsInterval() => Assert.All(Enumerable.Range(1, 500), count =>
    {
        Assert.Equal(0, Estimate.Of(0, count).Low);
        Assert.Equal(1, Estimate.Of(count, count).High);
    });

    [Fact]
    public void NoSamplesHaveNoInterval() => Assert.Throws<ArgumentOutOfRangeException>(() => Estimate.Of(0, 0));
}
