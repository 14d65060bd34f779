using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.TestKit.Samples;

/// <summary>A small bundle that keeps every rule; its models are random bytes, since nothing here runs them.</summary>
public static class SampleBundle
{
    public static string[] Labels { get; } = ["shirt", "coat", "bag"];

    public static GoldenContent Golden(Manifest manifest)
    {
        var shape = new GoldenShape(manifest.Golden.SampleCount, manifest.Input.Height, manifest.Input.Width, manifest.Input.ChannelCount);
        var pixels = new byte[shape.Count * shape.ImageByteCount];
        new Random(7).NextBytes(pixels);
        IReadOnlyList<int> classes = [.. Enumerable.Range(0, shape.Count).Select(i => i % Labels.Length)];
        return new GoldenContent { Shape = shape, Pixels = pixels, Labels = classes, Predictions = manifest.Variants.ToDictionary(v => v.Id, _ => classes) };
    }

    /// <param name="directory">Must not exist.</param>
    /// <param name="seed">Other seeds give other models, and a higher version.</param>
    /// <param name="epoch">Its security epoch.</param>
    public static Bundle Write(string directory, int seed = 1, int epoch = 1)
    {
        var writer = new BundleWriter();
        return writer.Write(directory, Manifest(writer, seed) with { Version = seed, Label = $"1.{seed}.0", SecurityEpoch = epoch });
    }

    public static Manifest Manifest(BundleWriter writer, int seed = 1)
    {
        var template = SampleDocuments.Manifest();
        return template with
        {
            Labels = writer.AddLabels(Labels),
            Golden = template.Golden with { Blob = writer.AddGolden(Golden(template)) },
            Variants = [.. template.Variants.Select((v, i) => v with { Blob = writer.AddBytes(Model((10 * seed) + i)) })],
        };
    }

    // Two and a half chunks.
    private static byte[] Model(int seed)
    {
        var bytes = new byte[160_000];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
