using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Bundles.Golden;

/// <summary>A golden set belongs to exactly one manifest.</summary>
internal static class GoldenMatch
{
    internal static void Check(string path, GoldenSet set, Manifest manifest, int classCount)
    {
        var wanted = new GoldenShape(manifest.Golden.SampleCount, manifest.Input.Height, manifest.Input.Width, manifest.Input.ChannelCount);
        if (set.Shape != wanted) throw Bad(path, $"is {set.Shape}, and the manifest asks for {wanted}");
        var ids = manifest.Variants.Select(v => v.Id).Order(StringComparer.Ordinal);
        if (!ids.SequenceEqual(set.Variants.Order(StringComparer.Ordinal)))
            throw Bad(path, $"has predictions of {string.Join(", ", set.Variants)}, and the manifest has {string.Join(", ", manifest.Variants.Select(v => v.Id))}");
        for (var i = 0; i < set.Count; i++)
        {
            if (set.Label(i) >= classCount) throw Bad(path, $"has label {set.Label(i)} for image {i}, and there are {classCount} labels");
            foreach (var id in set.Variants)
            {
                if (set.Prediction(id, i) >= classCount) throw Bad(path, $"has prediction {set.Prediction(id, i)} of '{id}' for image {i}, and there are {classCount} labels");
            }
        }
    }

    private static BundleException Bad(string path, string what) =>
        new(BundleProblem.Golden, $"Golden set '{path}' {what}; make it again for this manifest.");
}
