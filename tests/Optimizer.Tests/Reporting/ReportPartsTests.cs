using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Evaluation;
using Dunlin.Optimizer.Inspection;
using Dunlin.Optimizer.Reporting;

namespace Dunlin.Optimizer.Tests.Reporting;

public sealed class ReportPartsTests
{
    [Fact]
    public void TheFastestIsTakenAmongThoseThatHoldTheLimit()
    {
        var content = Content(Variant("reference", 0.92, 1), Variant("quick", 0.90, 0.1), Variant("fair", 0.915, 0.25), Variant("slow", 0.93, 0.5));
        var fastest = Recommendation.Of(content)[0];
        Assert.Equal("fair", fastest.Variant);
        Assert.Contains("4.00× faster than reference (0.250 against 1.00 ms on one thread)", fastest.Sentence);
        Assert.Contains("top-1 changes by −0.50 (−0.80 to −0.20) points.", fastest.Sentence);
    }

    [Fact]
    public void AnIntervalBeyondTheLimitIsSaid() =>
        Assert.Contains("whose interval reaches beyond top1>=-1.0pt", Recommendation.Of(Content(Variant("reference", 0.92, 1), Variant("close", 0.911, 0.5)))[0].Sentence);

    [Fact]
    public void WhereNoVariantHoldsTheLimitTheNearestIsNamed()
    {
        var none = Recommendation.Of(Content(Variant("reference", 0.92, 1), Variant("bad", 0.7, 0.1), Variant("worse", 0.6, 0.1)))[1];
        Assert.Null(none.Variant);
        Assert.Contains("no variant holds top1>=-1.0pt; the nearest is bad with −22.00", none.Sentence);
    }

    [Fact]
    public void AReferenceThatFailsALimitItselfIsNotTaken()
    {
        var content = Content(Variant("reference", 0.90, 1), Variant("better", 0.93, 1.5), Variant("bad", 0.7, 0.1)) with { Limit = "top1>=0.915" };
        var fastest = Recommendation.Of(content)[0];
        Assert.Equal("better", fastest.Variant);
        Assert.Contains("1.50× slower than reference", fastest.Sentence);
        Assert.Contains("reference itself fails top1>=0.915", fastest.Sentence);
    }

    [Fact]
    public void AReferenceWhoseIntervalReachesBeyondTheLimitIsTakenAndThatIsSaid()
    {
        var fastest = Recommendation.Of(Content(Variant("reference", 0.92, 1), Variant("slow", 0.93, 1.5)) with { Limit = "top1>=0.915" })[0];
        Assert.Equal("reference", fastest.Variant);
        Assert.Contains("since no variant within the limit is better; its interval reaches beyond top1>=0.915", fastest.Sentence);
    }

    [Fact]
    public void AStepIsHeldAgainstTheVariantThatItWasMadeFrom()
    {
        var content = Content(
            Variant("reference", 0.92, 1), Variant("half", 0.915, 0.5, "pruned"), Variant("quarter", 0.91, 0.25, "pruned"), Variant("quarter-int8", 0.909, 0.25, "pruned", "quantized"), Variant("int8", 0.919, 0.4, "quantized"));
        var rows = TechniqueSection.Of(content).Blocks.OfType<Table>().Single().Rows.Select(r => string.Join(' ', r.Cells.Take(3).Select(c => c.Value)));
        Assert.Equal(["pruned half reference", "pruned quarter reference", "quantized quarter-int8 quarter", "quantized int8 reference"], rows);
    }

    [Fact]
    public void AStepTellsItsTimeOnAllThreadsAndTheIntervalOfItsTop1()
    {
        VariantReport On(VariantReport variant, double milliseconds) => variant with { Times = [.. variant.Times, new InferenceTime(4, milliseconds, milliseconds, milliseconds, milliseconds)] };
        var content = Content(On(Variant("reference", 0.92, 1), 0.5), On(Variant("int8", 0.919, 0.4, "quantized"), 0.1) with { Top1AgainstBase = new Estimate(-0.001, -0.003, 0.001) });
        var table = TechniqueSection.Of(content).Blocks.OfType<Table>().Single();
        Assert.Contains("time, 4 threads", table.Columns.Select(c => c.Title));
        Assert.Equal(["2.50× faster", "5.00× faster", "−60 %", "−0.10 (−0.30 to +0.10)"], table.Rows[0].Cells.TakeLast(4).Select(c => c.Value));
    }

    [Theory]
    [InlineData(27, 100, "−73 %")]
    [InlineData(100, 100, "±0 %")]
    [InlineData(95.5, 100, "−4.5 %")]
    [InlineData(0.35, 100, "−99.7 %")]
    [InlineData(0.04, 100, "−99.96 %")]
    [InlineData(0, 100, "−100 %")]
    [InlineData(130, 100, "+30 %")]
    [InlineData(310, 100, "3.10×")]
    [InlineData(5, 0, "")]
    public void ChangesAreShort(double now, double before, string expected) => Assert.Equal(expected, Changes.Percent(now, before));

    [Fact]
    public void LabelsOfCrowdedPointsLieOverNothing()
    {
        var plot = new Box(0, 0, 900, 400);
        var placement = new LabelPlacement(plot);
        var taken = new List<Box>();
        (double X, double Y)[] points = [.. Enumerable.Range(0, 9).Select(i => (450.0 + i % 3 * 12, 200.0 + i / 3 * 9))];
        foreach (var (x, y) in points) placement.Block(new Box(x - 7, y - 7, 14, 14));
        foreach (var (x, y) in points)
        {
            var box = placement.Place((x, y), "narrow-50-int8");
            Assert.All(taken, other => Assert.True(box.Overlap(other) < 1));
            Assert.All(points, p => Assert.True(box.Overlap(new Box(p.X - 7, p.Y - 7, 14, 14)) < 1));
            Assert.Equal(box.Width * box.Height, plot.Overlap(box), 6);
            taken.Add(box);
        }
    }

    [Theory]
    [InlineData(0.05, 60, true)]
    [InlineData(3, 4, false)]
    [InlineData(91.4, 93.2, false)]
    [InlineData(5, 5, false)]
    public void TicksAreRoundAndWithinTheAxis(double low, double high, bool isLogarithmic)
    {
        var axis = Axis.Over([low, high], 100, 500, margin: 0.1, mayBeLogarithmic: true);
        var ticks = axis.Ticks(6);
        Assert.InRange(ticks.Count, 3, 14);
        Assert.All(ticks, t => Assert.InRange(axis.At(t), 100, 500));
        Assert.All(ticks, t => Assert.True(Changes.Short(t).Length <= 6, Changes.Short(t)));
        Assert.Equal(isLogarithmic, Math.Abs(axis.At(ticks[2]) - axis.At(ticks[1]) - (axis.At(ticks[1]) - axis.At(ticks[0]))) > 1e-6);
    }

    [Fact]
    public void NamesCannotBecomeMarkup()
    {
        var page = ReportPage.Of(Content(Variant("reference", 0.92, 1), Variant("<b>|*x*", 0.92, 0.5)));
        Assert.Contains("&lt;b>\\|\\*x\\*", MarkdownPage.Of(page));
        Assert.Contains("&lt;b&gt;|*x*", HtmlPage.Of(page));
        Assert.DoesNotContain("<b>", HtmlPage.Of(page));
    }

    private static ReportContent Content(params VariantReport[] variants)
    {
        var reference = variants[0].Evaluation;
        ReportMachine machine = new("CPU", 2, "6.1", "1.31.1", DateTimeOffset.UnixEpoch);
        VariantReport Against(VariantReport v)
        {
            var change = v.Top1 - reference.Top1.Value;
            var against = new ReferenceReport("reference", new Estimate(change, change - 0.003, change + 0.003), new Estimate(0.95, 0.94, 0.96));
            return v with { Evaluation = v.Evaluation with { AgainstReference = against } };
        }

        return new ReportContent(
            ReportContent.CurrentSchema, "images", 1000, [], AccuracyLimit.Default.ToString(), 3, machine, [variants[0], .. variants.Skip(1).Select(Against)], null, []);
    }

    private static VariantReport Variant(string name, double top1, double milliseconds, params string[] techniques)
    {
        var evaluation = new ModelReport(
            $"{name}.onnx", new Estimate(top1, top1 - 0.01, top1 + 0.01), new Estimate(0.99, 0.98, 1), 0.02, (long)(1000 * milliseconds), (long)(5000 * milliseconds), (long)(4000 * milliseconds), milliseconds, null, [], [], null);
        return new VariantReport(
            name, [.. techniques.Select(t => new Technique { Kind = t, Summary = t, Parameters = new Dictionary<string, string>() })], evaluation, [new InferenceTime(1, milliseconds, milliseconds, milliseconds, milliseconds)], 3e-3 * milliseconds, new LayerTable([], [], new Dictionary<string, int>(), false), null);
    }
}
