using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class AugmentationTests
{
    [Fact]
    public void TheSameSeedGivesTheSameView()
    {
        var images = Stripes.Make(3);
        float[] first = new float[784], second = new float[784];
        new Augmentation(images, 100, 0.01f).Write(2, new Random(5), first);
        new Augmentation(images, 100, 0.01f).Write(2, new Random(5), second);
        Assert.Equal(first, second);
    }

    [Fact]
    public void AViewKeepsTheRangeAndNearlyTheMeanOfItsImage()
    {
        var images = Stripes.Make(30);
        var augmentation = new Augmentation(images, mean: 0, scale: 1);
        var view = new float[784];
        var random = new Random(1);
        for (var i = 0; i < images.Count; i++)
        {
            augmentation.Write(i, random, view);
            Assert.InRange(view.Min(), 0, 255);
            Assert.InRange(view.Max(), 0, 255);
            var mean = images.Image(i).ToArray().Average(p => (double)p);
            Assert.InRange(view.Average() / mean, 0.85, 1.05);
        }
    }
}
