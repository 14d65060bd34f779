using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Bundles.Layouts;

/// <summary>An image's layers must be the manifest's blobs, each once, and at most one signature.</summary>
internal static class LayerRules
{
    internal static void CheckImage(string path, OciImage image)
    {
        if (image.SchemaVersion != 2)
            throw LayoutReader.Layout(path, $"has an image manifest of schemaVersion {image.SchemaVersion}, and must have 2", "pack it again");
        if (image.MediaType is { } type && type != OciImage.Type)
            throw LayoutReader.Layout(path, $"has an image manifest of mediaType '{type}', and must have '{OciImage.Type}'", "pack it again");
        if (image.ArtifactType != MediaTypes.Bundle)
            throw LayoutReader.Layout(path, $"has artifactType '{image.ArtifactType}', and must have '{MediaTypes.Bundle}'", "this is another kind of image; name a Dunlin bundle");
        if (image.Config is null || image.Config.MediaType != MediaTypes.Manifest)
            throw LayoutReader.Layout(path, $"has a config of type '{image.Config?.MediaType}', and must have '{MediaTypes.Manifest}'", "pack it again");
    }

    /// <returns>The signature layer, null if there is none.</returns>
    internal static OciDescriptor? Check(string path, OciImage image, Manifest manifest)
    {
        var expected = Layers(manifest).ToDictionary(l => l.Digest);
        OciDescriptor? signature = null;
        foreach (var layer in image.Layers)
        {
            if (layer is null) throw LayoutReader.Layout(path, "has a null layer", "pack it again");
            if (layer.MediaType == MediaTypes.Signature)
            {
                if (signature is not null) throw LayoutReader.Layout(path, "has two signature layers, and may have one", "sign it again");
                signature = layer;
            }
            else if (!expected.Remove(layer.Digest, out var known))
            {
                throw LayoutReader.Layout(path, $"has an extra layer {layer.Digest} of type '{layer.MediaType}', which its manifest does not name", "pack it again");
            }
            else if (known.MediaType != layer.MediaType || known.Size != layer.Size)
            {
                throw LayoutReader.Layout(path, $"has layer {layer.Digest} as '{layer.MediaType}' of {layer.Size} bytes, and its manifest says '{known.MediaType}' of {known.Size}", "pack it again");
            }
        }
        return expected.Count == 0
            ? signature
            : throw LayoutReader.Layout(path, $"lacks the layer {expected.Keys.First()} of type '{expected.Values.First().MediaType}', which its manifest names", "pack it again");
    }

    /// <summary>The layers of an unsigned bundle in their fixed order: labels, golden set, variants.</summary>
    internal static IEnumerable<OciDescriptor> Layers(Manifest manifest)
    {
        yield return Descriptor(MediaTypes.Labels, manifest.Labels);
        yield return Descriptor(MediaTypes.Golden, manifest.Golden.Blob);
        foreach (var variant in manifest.Variants) yield return Descriptor(MediaTypes.Variant, variant.Blob);
    }

    private static OciDescriptor Descriptor(string type, Blob blob) => new() { MediaType = type, Digest = blob.Digest, Size = blob.Size };
}
