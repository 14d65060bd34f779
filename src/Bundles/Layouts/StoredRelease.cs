using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Updates;

namespace Dunlin.Bundles.Layouts;

/// <summary>
/// A release in a device's state folder: <c>releases/&lt;id&gt;/</c> with its blobs in the common <c>blobs/sha256/</c>. It opens
/// as a <see cref="Bundle"/>, with the difference that variants which this hardware cannot run may be absent.
/// </summary>
/// <param name="Bundle">Null if it cannot be used at all.</param>
/// <param name="Bad">Blobs that are absent or corrupt, to be fetched again; empty when the release is complete.</param>
/// <param name="Problem">What is wrong, in sentences; null if nothing is.</param>
public sealed record StoredRelease(Bundle? Bundle, IReadOnlyList<Blob> Bad, string? Problem)
{
    public bool IsComplete => Bundle is not null && Bad.Count == 0;

    /// <summary>Hashes every byte that is read.</summary>
    /// <param name="layout">The state folder.</param>
    /// <param name="id">The release.</param>
    /// <param name="wanted">Whether the device needs this variant; others are passed over, there or not.</param>
    public static StoredRelease Open(StateLayout layout, Digest id, Func<Variant, bool> wanted)
    {
        try
        {
            var bytes = RegularFile.Read(layout.ReleaseManifest(id), null, Manifest.Format.MaximumByteCount);
            if (Manifest.ReleaseId(bytes) != id)
                return new(null, [], BlobFile.Corrupt(layout.ReleaseManifest(id), $"its digest is {Manifest.ReleaseId(bytes)}").Message);
            var manifest = Manifest.Format.Read(bytes);
            return manifest.IsValid
                ? Open(layout, bytes, manifest.Value, wanted)
                : new(null, [], $"The manifest of release {id} is invalid: {string.Join(" ", manifest.Errors)}");
        }
        catch (Exception e) when (e is BundleException or IOException or UnauthorizedAccessException)
        {
            return new(null, [], e.Message);
        }
    }

    private static StoredRelease Open(StateLayout layout, byte[] bytes, Manifest manifest, Func<Variant, bool> wanted)
    {
        var id = Manifest.ReleaseId(bytes);
        var (signatureBytes, signature) = LayoutReader.ReadSignature(layout.ReleaseSignature(id), bytes);
        Blob[] blobs = [manifest.Labels, manifest.Golden.Blob, .. manifest.Variants.Where(wanted).Select(variant => variant.Blob)];
        var problems = BlobFile.VerifyAll([.. blobs.Select(blob => (layout.Blob(blob.Digest), blob))]);
        List<Blob> bad = [.. blobs.Where((_, index) => problems[index] is not null)];
        var (hasLabels, hasGolden) = (problems[0] is null, problems[1] is null);
        List<Variant> present = [.. manifest.Variants.Where(variant => wanted(variant) && !bad.Contains(variant.Blob))];
        var problem = bad.Count == 0 ? null : string.Join(" ", problems.OfType<Exception>().Select(e => e.Message));
        if (!hasLabels || !hasGolden || present.Count == 0)
            return new(null, bad, problem ?? $"Release {id} has no variant that this device could run.");
        var labels = LayoutReader.ReadLabels(layout.Blob(manifest.Labels.Digest), manifest);
        return new(new Bundle(layout.Root, bytes, manifest, labels, signatureBytes, signature, present), bad, problem);
    }
}
