using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.TestKit.Samples;

namespace Dunlin.Bundles.Tests.Layouts;

/// <summary>A small bundle that keeps every rule; its models are random bytes, since nothing here runs them.</summary>
internal static class SampleBundle
{
    internal static string[] Labels { get; } = ["shirt", "coat", "bag"];

    internal static GoldenContent Golden(Manifest manifest)
    {
        var shape = new GoldenShape(manifest.Golden.SampleCount, manifest.Input.Height, manifest.Input.Width, manifest.Input.ChannelCount);
        var pixels = new byte[shape.Count * shape.ImageByteCount];
        new Random(7).NextBytes(pixels);
        IReadOnlyList<int> classes = [.. Enumerable.Range(0, shape.Count).Select(i => i % Labels.Length)];
        return new GoldenContent { Shape = shape, Pixels = pixels, Labels = classes, Predictions = manifest.Variants.ToDictionary(v => v.Id, _ => classes) };
    }

    internal static Bundle Write(string directory)
    {
        var writer = new BundleWriter();
        return writer.Write(directory, Manifest(writer));
    }

    internal static Manifest Manifest(BundleWriter writer, int seed = 1)
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
