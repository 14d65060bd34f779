using Dunlin.Optimizer.Evaluation;

namespace Dunlin.Optimizer.Tests.Evaluation;

public sealed class AccuracyLimitTests
{
    [Theory]
    [InlineData("-1.0pt", LimitedMeasure.Top1Change, -0.01, "top1>=-1.0pt")]
    [InlineData("top1 >= -0.3pt", LimitedMeasure.Top1Change, -0.003, "top1>=-0.3pt")]
    [InlineData("top1>=0.915", LimitedMeasure.Top1, 0.915, "top1>=0.915")]
    [InlineData("agreement>=99%", LimitedMeasure.Agreement, 0.99, "agreement>=99")]
    internal void ALimitIsReadAsItIsTypedAndWrittenInOneWay(string text, LimitedMeasure measure, double bound, string written)
    {
        var limit = AccuracyLimit.Parse(text);
        Assert.Equal((measure, written), (limit.Measure, limit.ToString()));
        Assert.Equal(bound, limit.Bound, 9);
        Assert.Equal(limit.ToString(), AccuracyLimit.Parse(limit.ToString()).ToString());
    }

    [Theory]
    [InlineData("1pt")]
    [InlineData("fast")]
    [InlineData("top1>=91.5")]
    [InlineData("agreement>=101")]
    public void WhatIsNoLimitIsRefusedWithTheRule(string text) => Assert.Contains("top1>=-1.0pt", Assert.Throws<FormatException>(() => AccuracyLimit.Parse(text)).Message);

    [Theory]
    [InlineData("-1.0pt", 0.90, 0.89, 0, true)]
    [InlineData("-1.0pt", 0.90, 0.889, 1, false)]
    [InlineData("top1>=0.9", 0.5, 0.9, 0, true)]
    [InlineData("top1>=0.9", 1, 0.899, 1, false)]
    [InlineData("agreement>=99", 0.9, 0.1, 0.99, true)]
    [InlineData("agreement>=99", 0.9, 0.9, 0.98, false)]
    public void OnlyWhatTheLimitSpeaksOfCounts(string text, double reference, double top1, double agreement, bool holds) =>
        Assert.Equal(holds, AccuracyLimit.Parse(text).Holds(reference, top1, agreement));

    [Theory]
    [InlineData(-0.008, -0.009, LimitAnswer.Holds)]
    [InlineData(-0.008, -0.015, LimitAnswer.Unsure)]
    [InlineData(-0.012, -0.015, LimitAnswer.Fails)]
    internal void AnIntervalThatReachesBelowTheLimitLeavesItUnsure(double change, double low, LimitAnswer answer) =>
        Assert.Equal(answer, AccuracyLimit.Default.Judge(new Estimate(change, low, 0), new Estimate(0, 0, 0), new Estimate(0, 0, 0)));

    [Theory]
    [InlineData("-1.0pt", 0.89)]
    [InlineData("top1>=0.85", 0.85)]
    [InlineData("agreement>=99", 0.89)]
    public void TheFloorIsTheLeastTop1ThatTheLimitAllows(string text, double floor) => Assert.Equal(floor, AccuracyLimit.Parse(text).Floor(0.9), 9);
}
