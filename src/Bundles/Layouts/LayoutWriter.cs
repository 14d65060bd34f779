using System.Text.Json;
using Dunlin.Bundles.Durability;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Layouts;

/// <summary>Writes layouts that <see cref="LayoutReader"/> reads.</summary>
internal static class LayoutWriter
{
    internal static Bundle Pack(string directory, Manifest manifest, IReadOnlyDictionary<Digest, BlobSource> sources)
    {
        var manifestBytes = Manifest.Format.Write(manifest);
        foreach (var layer in LayerRules.Layers(manifest))
        {
            if (!sources.ContainsKey(layer.Digest))
                throw new BundleException(BundleProblem.MissingBlob, $"The manifest names {layer.Digest} of type '{layer.MediaType}', which was not added; add the file to the writer first.");
        }
        if (Directory.Exists(directory) && Directory.EnumerateFileSystemEntries(directory).Any())
            throw LayoutReader.Layout(directory, "exists already and is not empty", "remove it, or write elsewhere");
        DurableFolder.Write(directory, layout =>
        {
            Directory.CreateDirectory(Path.Combine(layout, "blobs", "sha256"));
            foreach (var layer in LayerRules.Layers(manifest)) WriteSource(layout, sources[layer.Digest]);
            WriteImage(layout, manifestBytes, manifest, null);
            DurableFile.Write(Path.Combine(layout, OciLayout.FileName), JsonSerializer.SerializeToUtf8Bytes(new OciLayout { ImageLayoutVersion = OciLayout.CurrentVersion }, OciJson.Default.OciLayout));
            Bundle.Open(layout).OpenGolden();
            DurableFile.SyncDirectory(Path.Combine(layout, "blobs"));
        });
        return Bundle.Open(directory, BundleCheck.ManifestOnly);
    }

    internal static Bundle Sign(Bundle bundle, DsseEnvelope envelope)
    {
        LayoutReader.RequirePayload(bundle.Path, envelope, bundle.ManifestBytes.Span);
        var old = LayoutReader.ReadEntry(bundle.Path);
        var oldSignature = LayoutReader.ReadImage(bundle.Path).Layers.FirstOrDefault(l => l.MediaType == MediaTypes.Signature);
        var written = WriteImage(bundle.Path, bundle.ManifestBytes.ToArray(), bundle.Manifest, DsseEnvelope.Format.Write(envelope));
        Digest?[] replaced = [old.Digest, oldSignature?.Digest];
        foreach (var digest in replaced)
        {
            if (digest is { } d && !written.Contains(d)) File.Delete(LayoutPaths.Blob(bundle.Path, d));
        }
        return Bundle.Open(bundle.Path, BundleCheck.ManifestOnly);
    }

    private static void WriteSource(string layout, BlobSource source)
    {
        var target = LayoutPaths.Blob(layout, source.Blob.Digest);
        if (File.Exists(target)) return;
        if (source.File is { } file) DurableFile.Copy(file, target);
        else DurableFile.Write(target, source.Content.Span);
    }

    // The index is written last: until it is renamed into place the old image stands.
    private static List<Digest> WriteImage(string layout, byte[] manifestBytes, Manifest manifest, byte[]? signature)
    {
        var config = WriteBlob(layout, MediaTypes.Manifest, manifestBytes);
        List<OciDescriptor> layers = [.. LayerRules.Layers(manifest)];
        if (signature is not null) layers.Add(WriteBlob(layout, MediaTypes.Signature, signature));
        var image = new OciImage
        {
            SchemaVersion = 2,
            MediaType = OciImage.Type,
            ArtifactType = MediaTypes.Bundle,
            Config = config,
            Layers = layers,
            Annotations = new SortedDictionary<string, string>(StringComparer.Ordinal)
            {
                ["org.opencontainers.image.title"] = manifest.Name,
                ["org.opencontainers.image.version"] = manifest.Label,
            },
        };
        var entry = WriteBlob(layout, OciImage.Type, JsonSerializer.SerializeToUtf8Bytes(image, OciJson.Default.OciImage));
        var index = new OciIndex { SchemaVersion = 2, MediaType = OciIndex.Type, Manifests = [entry with { ArtifactType = MediaTypes.Bundle }] };
        DurableFile.SyncDirectory(Path.Combine(layout, "blobs", "sha256"));
        DurableFile.Write(Path.Combine(layout, OciIndex.FileName), JsonSerializer.SerializeToUtf8Bytes(index, OciJson.Default.OciIndex));
        return [entry.Digest, .. layers.Select(l => l.Digest)];
    }

    private static OciDescriptor WriteBlob(string layout, string type, byte[] content)
    {
        var digest = Digest.Of(content);
        var path = LayoutPaths.Blob(layout, digest);
        if (!File.Exists(path)) DurableFile.Write(path, content);
        return new OciDescriptor { MediaType = type, Digest = digest, Size = content.Length };
    }
}
