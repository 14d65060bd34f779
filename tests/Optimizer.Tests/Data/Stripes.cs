using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph;

namespace Dunlin.Optimizer.Tests.Data;

/// <summary>A data set that is learnt in seconds: horizontal, vertical and diagonal stripes with noise, 28 × 28.</summary>
internal static class Stripes
{
    public const int Side = 28;

    public static readonly IReadOnlyList<string> ClassNames = ["horizontal", "vertical", "diagonal"];

    /// <summary>How a network takes them.</summary>
    public static InputSpec Input { get; } = GarmentInput.Of("image", region: null) with { Mean = [120], Scale = [0.01f] };

    /// <summary>For training.</summary>
    public static PixelSet Pixels(int count, int seed = 7) => PixelSet.Read(Samples(count, seed), Classes, Input, unreadableShare: 0, TestContext.Current.CancellationToken);

    public static ClassMap Classes => ClassMap.Of(new DataListing([], ClassNames), labels: null, ClassNames.Count);

    public static IReadOnlyList<ImageSample> Samples(int count, int seed = 7)
    {
        var images = Make(count, seed);
        return [.. Enumerable.Range(0, count).Select(i => new MemorySample($"{i}", ClassNames[images.Labels[i]], IsTest: false, images, i))];
    }

    /// <summary>What share 0…1 of fresh stripes a network answers right, by ONNX Runtime.</summary>
    public static double ShareRight(ModelGraph graph)
    {
        using var images = Pixels(150, seed: 1234);
        using var run = new GraphRun(graph.Model);
        return images.Tensors().Select(run.Scores).Index().Average(s => Array.IndexOf(s.Item, s.Item.Max()) == images.Label(s.Index) ? 1.0 : 0);
    }

    public static LabelledImages Make(int count, int seed = 7)
    {
        var random = new Random(seed);
        var pixels = new byte[count * Side * Side];
        var labels = new byte[count];
        for (var i = 0; i < count; i++)
        {
            labels[i] = (byte)(i % ClassNames.Count);
            var phase = random.Next(8);
            for (var y = 0; y < Side; y++)
                for (var x = 0; x < Side; x++)
                {
                    var along = labels[i] switch { 0 => y, 1 => x, _ => x + y };
                    pixels[(i * Side + y) * Side + x] = (byte)(((along + phase) / 4 % 2 == 0 ? 40 : 200) + random.Next(40));
                }
        }

        return new LabelledImages(pixels, labels, Side, Side, ClassNames);
    }
}
