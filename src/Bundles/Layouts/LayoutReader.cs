using System.Runtime.ExceptionServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Layouts;

/// <summary>Walks a layout from <c>oci-layout</c> down to the blobs; nothing is believed before its digest is.</summary>
internal static class LayoutReader
{
    private const int MaximumIndexByteCount = 1024 * 1024;
    private const int MaximumLabelsByteCount = 1024 * 1024;
    private const int MaximumLabelCount = ushort.MaxValue + 1;

    internal static Bundle Read(string path, BundleCheck check)
    {
        if (!Directory.Exists(path)) throw Layout(path, "is no folder", "name the folder that holds oci-layout");
        NoLinkedFolder(path, "blobs");
        NoLinkedFolder(path, Path.Combine("blobs", "sha256"));
        var layout = Parse(path, OciLayout.FileName, MaximumIndexByteCount, OciJson.Default.OciLayout);
        if (layout.ImageLayoutVersion != OciLayout.CurrentVersion)
            throw Layout(path, $"has imageLayoutVersion '{layout.ImageLayoutVersion}', and must have {OciLayout.CurrentVersion}", "write it with a current tool");
        var image = ReadImage(path);
        var manifestBytes = ReadBlob(path, image.Config, Manifest.Format.MaximumByteCount);
        var read = Manifest.Format.Read(manifestBytes);
        if (!read.IsValid)
            throw new BundleException(BundleProblem.Manifest, $"The manifest of bundle '{path}' is invalid: {string.Join(" ", read.Errors)}");
        var manifest = read.Value;
        var signatureLayer = LayerRules.Check(path, image, manifest);
        CheckBlobs(path, manifest, check);
        var (signatureBytes, signature) = ReadSignature(path, signatureLayer, manifestBytes);
        return new Bundle(path, manifestBytes, manifest, ReadLabels(LayoutPaths.Blob(path, manifest.Labels.Digest), manifest), signatureBytes, signature);
    }

    internal static BundleException Layout(string path, string what, string nextStep) =>
        new(BundleProblem.Layout, $"Bundle '{path}' {what}; {nextStep}.");

    internal static OciImage ReadImage(string path)
    {
        var entry = ReadEntry(path);
        var bytes = ReadBlob(path, entry, MaximumIndexByteCount);
        var image = Parse(path, $"image manifest {entry.Digest}", bytes, OciJson.Default.OciImage);
        LayerRules.CheckImage(path, image);
        return image;
    }

    /// <summary>The one image of the index.</summary>
    internal static OciDescriptor ReadEntry(string path)
    {
        var index = Parse(path, OciIndex.FileName, MaximumIndexByteCount, OciJson.Default.OciIndex);
        if (index.SchemaVersion != 2) throw Layout(path, $"has an index.json of schemaVersion {index.SchemaVersion}, and must have 2", "write it with a current tool");
        if (index.Manifests is not [{ } entry])
            throw Layout(path, $"has {index.Manifests.Count} entries in index.json, and must have one", "copy one image only into the layout");
        if (entry.MediaType != OciImage.Type)
            throw Layout(path, $"has an index entry of type '{entry.MediaType}', and must have '{OciImage.Type}'", "push it with --format oci, or pack it again");
        return entry;
    }

    internal static IReadOnlyList<BundlePart> Parts(string path)
    {
        var image = ReadImage(path);
        return [.. image.Layers.Prepend(image.Config).Select(Part).DistinctBy(part => part.Digest)];
    }

    internal static BundlePart ImagePart(string path) => Part(ReadEntry(path));

    private static BundlePart Part(OciDescriptor descriptor) => new(descriptor.MediaType, descriptor.Digest, descriptor.Size);

    private static void CheckBlobs(string path, Manifest manifest, BundleCheck check)
    {
        Blob[] named = [manifest.Labels, manifest.Golden.Blob, .. manifest.Variants.Select(v => v.Blob)];
        (string Path, Blob Blob)[] blobs = [.. named.Select(blob => (LayoutPaths.Blob(path, blob.Digest), blob))];
        if (check == BundleCheck.ManifestOnly)
        {
            BlobFile.Verify(blobs[0].Path, manifest.Labels);
            foreach (var (file, blob) in blobs) RegularFile.Open(file, blob.Size).Dispose();
        }
        else if (check == BundleCheck.Everything)
        {
            foreach (var (file, blob) in blobs) BlobFile.VerifyWithChunks(file, blob);
        }
        else if (BlobFile.VerifyAll(blobs).FirstOrDefault(problem => problem is not null) is { } problem)
        {
            ExceptionDispatchInfo.Throw(problem);
        }
    }

    private static (ReadOnlyMemory<byte>? Bytes, DsseEnvelope? Envelope) ReadSignature(string path, OciDescriptor? layer, byte[] manifest)
    {
        if (layer is null) return (null, null);
        return ReadSignature(path, ReadBlob(path, layer, DsseEnvelope.Format.MaximumByteCount), manifest);
    }

    /// <summary>The envelope in a file of its own, as a stored release has it.</summary>
    internal static (ReadOnlyMemory<byte> Bytes, DsseEnvelope Envelope) ReadSignature(string file, byte[] manifest) =>
        ReadSignature(file, RegularFile.Read(file, null, DsseEnvelope.Format.MaximumByteCount), manifest);

    private static (ReadOnlyMemory<byte> Bytes, DsseEnvelope Envelope) ReadSignature(string path, byte[] bytes, byte[] manifest)
    {
        var read = DsseEnvelope.Format.Read(bytes);
        if (!read.IsValid)
            throw new BundleException(BundleProblem.Signature, $"The signature of bundle '{path}' is no envelope: {string.Join(" ", read.Errors)}");
        RequirePayload(path, read.Value, manifest);
        return (bytes, read.Value);
    }

    internal static void RequirePayload(string path, DsseEnvelope envelope, ReadOnlySpan<byte> manifest)
    {
        if (envelope.PayloadType != MediaTypes.Manifest)
            throw new BundleException(BundleProblem.Signature, $"The signature of bundle '{path}' has payloadType '{envelope.PayloadType}', and must have '{MediaTypes.Manifest}'; sign the release again.");
        if (!envelope.Payload.Span.SequenceEqual(manifest))
            throw new BundleException(BundleProblem.Signature, $"The signature of bundle '{path}' is over {Digest.Of(envelope.Payload.Span)}, and the release is {Digest.Of(manifest)}; sign this release.");
    }

    internal static IReadOnlyList<string> ReadLabels(string file, Manifest manifest)
    {
        var bytes = RegularFile.Read(file, manifest.Labels.Size, MaximumLabelsByteCount);
        IReadOnlyList<string>? labels;
        try
        {
            labels = JsonSerializer.Deserialize(bytes, StrictJson.Default.IReadOnlyListString);
        }
        catch (JsonException e)
        {
            throw new BundleException(BundleProblem.Labels, $"The labels '{file}' are no JSON array of texts: {e.Message}", e);
        }
        if (labels is null or { Count: 0 or > MaximumLabelCount } || labels.Any(l => l is null or { Length: 0 or > 256 } || l.Any(char.IsControl)))
            throw new BundleException(BundleProblem.Labels, $"The labels '{file}' must be 1 to {MaximumLabelCount} texts of 1 to 256 characters without control characters; correct them and pack again.");
        return labels;
    }

    private static byte[] ReadBlob(string path, OciDescriptor descriptor, int maximum)
    {
        var file = LayoutPaths.Blob(path, descriptor.Digest);
        if (descriptor.Size > maximum)
            throw Layout(path, $"names {descriptor.Digest} with {descriptor.Size} bytes, and {descriptor.MediaType} may have at most {maximum}", "pack it again");
        var bytes = RegularFile.Read(file, descriptor.Size, maximum);
        var actual = Digest.Of(bytes);
        return actual == descriptor.Digest ? bytes : throw BlobFile.Corrupt(file, $"its digest is {actual}");
    }

    private static T Parse<T>(string path, string name, int maximum, JsonTypeInfo<T> type)
    {
        var file = Path.Combine(path, name);
        try
        {
            return Parse(path, name, RegularFile.Read(file, null, maximum), type);
        }
        catch (BundleException e) when (e.Problem == BundleProblem.MissingBlob)
        {
            throw Layout(path, $"has no {name}", "name the folder of an OCI image layout");
        }
    }

    private static T Parse<T>(string path, string name, ReadOnlySpan<byte> json, JsonTypeInfo<T> type)
    {
        try
        {
            return JsonSerializer.Deserialize(json, type) ?? throw Layout(path, $"has 'null' as {name}", "pack it again");
        }
        catch (JsonException e)
        {
            throw Layout(path, $"has an unreadable {name} ({e.Message})", "pack or copy it again");
        }
    }

    private static void NoLinkedFolder(string path, string name)
    {
        if (new DirectoryInfo(Path.Combine(path, name)).LinkTarget is { } target)
            throw new BundleException(BundleProblem.NotRegularFile, $"'{name}' in bundle '{path}' is a symbolic link to '{target}'; a bundle must hold real folders. Copy the files there.");
    }
}
