using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Packing;

/// <summary>Makes an unsigned bundle of measured variants.</summary>
/// <param name="input">Of all variants, with the region that devices look at.</param>
/// <param name="output">Of all variants.</param>
/// <param name="golden">Held-out images of the input's size.</param>
internal sealed class Packer(InputSpec input, OutputSpec output, PixelSet golden)
{
    /// <param name="directory">Must not exist, or be empty.</param>
    /// <param name="release">Its name, version and epoch.</param>
    /// <param name="variants">At least one, measured on the golden images.</param>
    /// <param name="accuracyFloor">Top-1 below which no device races a variant.</param>
    /// <param name="created">The manifest's creation time.</param>
    public Bundle Pack(string directory, ReleaseName release, IReadOnlyList<VariantMeasurement> variants, double accuracyFloor, DateTimeOffset created)
    {
        var writer = new BundleWriter();
        int[] labels = [.. Enumerable.Range(0, golden.Count).Select(golden.Label)];
        var content = new GoldenContent
        {
            Shape = new GoldenShape(golden.Count, golden.Height, golden.Width, golden.ChannelCount),
            Pixels = Enumerable.Range(0, golden.Count).SelectMany(i => golden.Pixels(i).ToArray()).ToArray(),
            Labels = labels,
            Predictions = variants.ToDictionary(v => v.Id, v => v.GoldenPredictions),
        };
        var manifest = new Manifest
        {
            Schema = Manifest.CurrentSchema,
            Name = release.Name,
            Version = release.Version,
            Label = release.Label,
            SecurityEpoch = release.SecurityEpoch,
            MinAgent = "0.1.0",
            Task = Manifest.ImageClassification,
            Created = created,
            Input = input,
            Output = output,
            Labels = writer.AddLabels(golden.ClassNames),
            Golden = new GoldenSpec { Blob = writer.AddGolden(content), SampleCount = golden.Count },
            AccuracyFloor = accuracyFloor,
            Variants = [.. variants.Select(v => v.ToVariant(writer.AddFile(v.Path), labels.Zip(v.GoldenPredictions).Count(p => p.First == p.Second)))],
        };
        return writer.Write(directory, manifest);
    }
}
