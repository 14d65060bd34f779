using Dunlin.Bundles.Golden;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;

namespace Dunlin.Optimizer.Packing;

/// <summary>What a bundle is called.</summary>
internal sealed record ReleaseName(string Name, int Version, string Label);

/// <summary>Makes an unsigned bundle of measured variants.</summary>
internal sealed class Packer(LabelledImages heldOut, InputSpec input, OutputSpec output)
{
    /// <param name="directory">Must not exist, or be empty.</param>
    /// <param name="release">Its name and version.</param>
    /// <param name="variants">At least one.</param>
    /// <param name="golden">Places of the golden samples among the held-out images.</param>
    /// <param name="accuracyFloor">Top-1 below which no device races a variant.</param>
    /// <param name="created">The manifest's creation time.</param>
    public Bundle Pack(
        string directory, ReleaseName release, IReadOnlyList<VariantMeasurement> variants, IReadOnlyList<int> golden, double accuracyFloor, DateTimeOffset created)
    {
        var writer = new BundleWriter();
        var images = heldOut.Select(golden);
        var labels = images.Labels.ToArray().Select(l => (int)l).ToArray();
        var content = new GoldenContent
        {
            Shape = new GoldenShape(images.Count, images.Height, images.Width, Channels: 1),
            Pixels = Enumerable.Range(0, images.Count).SelectMany(i => images.Image(i).ToArray()).ToArray(),
            Labels = labels,
            Predictions = variants.ToDictionary(v => v.Id, v => v.GoldenPredictions),
        };
        var manifest = new Manifest
        {
            Schema = Manifest.CurrentSchema,
            Name = release.Name,
            Version = release.Version,
            Label = release.Label,
            SecurityEpoch = 1,
            MinAgent = "0.1.0",
            Task = Manifest.ImageClassification,
            Created = created,
            Input = input,
            Output = output,
            Labels = writer.AddLabels(heldOut.ClassNames),
            Golden = new GoldenSpec { Blob = writer.AddGolden(content), SampleCount = images.Count },
            AccuracyFloor = accuracyFloor,
            Variants = [.. variants.Select(v => v.ToVariant(writer.AddFile(v.Path), labels.Zip(v.GoldenPredictions).Count(p => p.First == p.Second)))],
        };
        return writer.Write(directory, manifest);
    }
}
