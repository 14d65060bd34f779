using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Tests.Data;

public sealed class AugmentationTests : IDisposable
{
    private static readonly InputSpec Plain = Stripes.Input with { Mean = [0], Scale = [1] };
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-augmentation").FullName;

    [Fact]
    public void AViewDependsOnTheSeedTheImageAndItsNumberOnly()
    {
        using var images = Stripes.Pixels(3);
        var other = new Augmentation(images, Augmentations.All, seed: 5);
        View(other, images, 0, 7);
        Assert.Equal(View(new Augmentation(images, Augmentations.All, seed: 5), images, 2, 1), View(other, images, 2, 1));
        Assert.Equal(4, new[] { (5, 2, 1), (6, 2, 1), (5, 2, 2), (5, 1, 1) }.Select(v => ViewChange.Of(Augmentations.All, v.Item1, v.Item2, v.Item3)).Distinct().Count());
    }

    [Fact]
    public void AViewKeepsTheRangeAndNearlyTheMeanOfItsImage()
    {
        using var images = Stripes.Pixels(30).As(Plain);
        var augmentation = new Augmentation(images, Augmentations.All, seed: 1);
        for (var i = 0; i < images.Count; i++)
        {
            var view = View(augmentation, images, i, view: 0);
            Assert.InRange(view.Min(), 0, 255);
            Assert.InRange(view.Max(), 0, 255);
            Assert.InRange(view.Average() / images.Pixels(i).ToArray().Average(p => (double)p), 0.9, 1.1);
        }
    }

    [Fact]
    public void EachKindDoesWhatItSaysAndNothingElse()
    {
        using var images = Colours("rgb");
        var expected = View(new Augmentation(images, Augmentations.None, seed: 1), images, 0, 0);
        Assert.Equal(images.Pixels(0).ToArray().Select(p => (float)p), Interleaved(expected));

        var mirrored = Enumerable.Range(0, 8).First(v => ViewChange.Of(Augmentations.Flip, 1, 0, v).IsMirrored);
        var flipped = View(new Augmentation(images, Augmentations.Flip, seed: 1), images, 0, mirrored);
        Assert.Equal(expected.Chunk(16).SelectMany(row => row.Reverse()), flipped);

        var tinted = View(new Augmentation(images, Augmentations.Colour, seed: 1), images, 0, 0);
        Assert.NotEqual(expected, tinted);
        // The darkest place stays the darkest: only colours change, not places.
        Assert.Equal(Darkest(expected), Darkest(tinted));
    }

    [Fact]
    public void ColourChangesAnImageAlikeInEitherOrderOfChannels()
    {
        using var rgb = Colours("rgb");
        using var bgr = Colours("bgr");
        var first = View(new Augmentation(rgb, Augmentations.All, seed: 3), rgb, 1, 2);
        var second = View(new Augmentation(bgr, Augmentations.All, seed: 3), bgr, 1, 2);
        var plane = first.Length / 3;
        for (var c = 0; c < 3; c++)
            for (var i = 0; i < plane; i++) Assert.Equal(first[c * plane + i], second[(2 - c) * plane + i], 1e-3);
    }

    [Fact]
    public void ViewsAreSpreadAsTheirWordsSay()
    {
        var views = Enumerable.Range(0, 4000).Select(i => ViewChange.Of(Augmentations.All, 1, i, 0)).ToList();
        Assert.InRange(views.Average(v => v.IsMirrored ? 1.0 : 0), 0.47, 0.53);
        Assert.InRange(views.Average(v => v.Softness), 0.47, 0.53);
        Assert.All(views, v => Assert.InRange(v.Brightness, 0.8, 1.2));
        Assert.Equal([-14, 14], new[] { views.Min(v => v.Columns(224)), views.Max(v => v.Columns(224)) });
        Assert.InRange(views.Average(v => v.IsMirrored ? v.Right : -v.Right), -0.05, 0.05);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static float[] View(Augmentation augmentation, PixelSet images, int index, int view)
    {
        var tensor = new float[images.Size];
        augmentation.Write(index, view, tensor);
        return tensor;
    }

    private static int Darkest(float[] planes)
    {
        float[] luma = [.. Enumerable.Range(0, planes.Length / 3).Select(i => 0.299f * planes[i] + 0.587f * planes[i + planes.Length / 3] + 0.114f * planes[i + planes.Length / 3 * 2])];
        return Array.IndexOf(luma, luma.Min());
    }

    private static IEnumerable<float> Interleaved(float[] planes) => Enumerable.Range(0, planes.Length).Select(i => planes[i % 3 * (planes.Length / 3) + i / 3]);

    // Gradients, so that every pixel and channel is another.
    private PixelSet Colours(string order)
    {
        var data = Pictures.WriteGradients(_folder);
        var channels = Enum.Parse<ChannelOrder>(order, ignoreCase: true);
        var input = Stripes.Input with { Channels = channels, Width = 16, Height = 16, Mean = [0, 0, 0], Scale = [1, 1, 1] };
        return PixelSet.Read(data.Samples, ClassMap.Of(data, labels: null, data.ClassNames.Count), input, unreadableShare: 0, TestContext.Current.CancellationToken);
    }
}
