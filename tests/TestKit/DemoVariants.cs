using Dunlin.Bundles.Layouts;

namespace Dunlin.TestKit;

/// <summary>Variants of the demo bundle by what they are: their names are the optimizer's choice.</summary>
public static class DemoVariants
{
    /// <summary>The least work, and of those with as little the smallest file.</summary>
    public static string Lightest { get; } = Bundle.Open(RepositoryFolder.DemoBundle).Manifest.Variants.MinBy(v => (v.Macs, v.Blob.Size))!.Id;
}
