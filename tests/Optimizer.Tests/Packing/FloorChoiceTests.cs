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

    [Theory]
    [InlineData(0.9046, 0.9046, 0.904)]
    [InlineData(0.95, 0.9, 0.9)]
    [InlineData(0.89, 0.9, 0.89)]
    [InlineData(-0.02, 0.01, 0)]
    public void AFloorIsNeverAboveWhatWasAskedOrTheBestVariant(double wanted, double best, double expected) => Assert.Equal(expected, FloorChoice.Accuracy(wanted, best));

    [Fact]
    public void NoShareOfImagesIsBelowTheFloorThatItGives()
    {
        for (var count = 200; count < 1200; count++)
            for (var right = 0; right <= count; right++) Assert.InRange((double)right / count - FloorChoice.Accuracy((double)right / count, 1), 0, 0.001);
    }

    // What a device does: the exact one-sided binomial test at α = 0.01.
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
    public void AnImageThatCannotBeReadLeavesItsPlaceInTheGoldenSetToAnother()
    {
        List<ImageSample> images = [new FileSample("gone.png", "diagonal", "/gone.png"), .. Stripes.Samples(200)];
        using var golden = Read(200, unreadableShare: 0.01);
        Assert.Equal(images.Skip(1).Select(i => i.Name), Enumerable.Range(0, golden.Count).Select(golden.Name));
        using var usual = Read(null, unreadableShare: 0.01);
        Assert.Equal(200, usual.Count);
        Assert.Contains("200 held-out images, and 1 that cannot be read", Assert.Throws<InvalidDataException>(() => Read(201, unreadableShare: 0.01)).Message);
        Assert.Contains("--max-unreadable", Assert.Throws<InvalidDataException>(() => Read(200, unreadableShare: 0)).Message);

        PixelSet Read(int? wanted, double unreadableShare) => GoldenChoice.Read(wanted, images, Stripes.Classes, Stripes.Input, variantCount: 4, unreadableShare, TestContext.Current.CancellationToken);
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
