using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Packing;
using Dunlin.Optimizer.Tests.Data;
using MathNet.Numerics.Distributions;

namespace Dunlin.Optimizer.Tests.Packing;

public sealed class FloorChoiceTests
{
    private const int SampleCount = 400, CorrectCount = 368;

    [Theory]
    [InlineData(Precision.Fp32, 4)]
    [InlineData(Precision.Int8, 12)]
    public void ABoardThatRoundsOtherwisePasses(Precision precision, int otherAnswers)
    {
        var floors = FloorChoice.For(precision, CorrectCount, SampleCount);
        Assert.True(Accepts(floors.Agreement, SampleCount - otherAnswers, SampleCount));
        Assert.True(Accepts(floors.Top1, CorrectCount - otherAnswers, SampleCount));
        Assert.True(Accepts(floors.Agreement, SampleCount, SampleCount));
    }

    // Published for int8 on CPUs whose 8-bit kernels saturate: 5.8 points of top-1 lost, so at least as many answers changed.
    [Theory]
    [InlineData(Precision.Fp32, 12)]
    [InlineData(Precision.Int8, 24)]
    public void ABoardThatComputesWrongFails(Precision precision, int otherAnswers)
    {
        var floors = FloorChoice.For(precision, CorrectCount, SampleCount);
        Assert.False(Accepts(floors.Agreement, SampleCount - otherAnswers, SampleCount));
        Assert.False(Accepts(floors.Top1, CorrectCount - 24, SampleCount));
    }

    // What a device does (design §3): the exact one-sided binomial test at α = 0.01.
    private static bool Accepts(double floor, int hits, int sampleCount) => Binomial.CDF(floor, sampleCount, hits) >= 0.01;

    [Fact]
    public void TheGoldenSetHasEachClassEquallyOftenAndInOrder()
    {
        var images = Stripes.Samples(90);
        var chosen = GoldenChoice.From(images, 30);
        Assert.Equal(images.Where(chosen.Contains), chosen);
        Assert.All(chosen.CountBy(i => i.ClassName), c => Assert.Equal(10, c.Value));
        Assert.Contains("90 held-out images", Assert.Throws<InvalidDataException>(() => GoldenChoice.From(images, 100)).Message);
        // Of a class with too few, all; the others make up for it.
        List<ImageSample> few = [.. images.Where((s, i) => s.ClassName != "vertical" || i < 9)];
        Assert.Equal([3, 13, 14], GoldenChoice.From(few, 30).CountBy(i => i.ClassName).Select(c => c.Value).Order());
    }

    [Fact]
    public void AGoldenSetIsAsLargeAsThereAreImagesAndTheyFit()
    {
        static InputSpec Side(int side) => Stripes.Input with { Channels = ChannelOrder.Rgb, Width = side, Height = side };
        Assert.Equal(400, GoldenChoice.SampleCount(null, 1000, Side(224), variantCount: 4));
        Assert.Equal(327, GoldenChoice.SampleCount(null, 327, Side(224), variantCount: 4));
        Assert.Equal(249, GoldenChoice.SampleCount(null, 1000, Side(299), variantCount: 4));
        Assert.Contains("smaller --golden", Assert.Throws<InvalidDataException>(() => GoldenChoice.SampleCount(400, 1000, Side(299), 4)).Message);
        Assert.Contains("smaller images", Assert.Throws<InvalidDataException>(() => GoldenChoice.SampleCount(null, 1000, Side(384), 4)).Message);
    }
}
