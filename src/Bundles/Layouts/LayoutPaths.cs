using Dunlin.Contracts.Artifacts;

namespace Dunlin.Bundles.Layouts;

internal static class LayoutPaths
{
    internal static string Blob(string layout, Digest digest) => Path.Combine(layout, "blobs", "sha256", digest.Hex);
}
