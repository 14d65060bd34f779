using Dunlin.Bundles.Golden;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Signing;

namespace Dunlin.Bundles.Layouts;

/// <summary>How much of a bundle is read when it is opened.</summary>
public enum BundleCheck
{
    /// <summary>Every byte of every blob is hashed, whole and in chunks, before it is signed or published.</summary>
    Everything = 1,

    /// <summary>Every byte of every blob is hashed once, before it runs.</summary>
    Contents = 2,

    /// <summary>The manifest, labels and signature are hashed; models and golden set only have to be there with the right size. For blobs that were verified before; they are hashed again before load.</summary>
    ManifestOnly = 3,
}

/// <summary>An OCI image layout directory that holds one release (docs/decisions/0002-oci-layout.md), opened and checked. Immutable.</summary>
public sealed class Bundle
{
    internal Bundle(string path, ReadOnlyMemory<byte> manifestBytes, Manifest manifest, IReadOnlyList<string> labels, ReadOnlyMemory<byte>? signatureBytes, DsseEnvelope? signature,
        IReadOnlyList<Variant>? present = null)
    {
        Path = path;
        ManifestBytes = manifestBytes;
        ReleaseId = Manifest.ReleaseId(manifestBytes.Span);
        Manifest = manifest;
        Labels = labels;
        SignatureBytes = signatureBytes;
        Signature = signature;
        Present = present ?? manifest.Variants;
    }

    /// <summary>The layout directory, absolute.</summary>
    public string Path { get; }

    /// <summary>Digest of <see cref="ManifestBytes"/>.</summary>
    public Digest ReleaseId { get; }

    public ReadOnlyMemory<byte> ManifestBytes { get; }

    public Manifest Manifest { get; }

    /// <summary>The variants whose files are here: all of a layout's; of a stored release those that this hardware could run.</summary>
    public IReadOnlyList<Variant> Present { get; }

    /// <summary>Class names in the order of the output.</summary>
    public IReadOnlyList<string> Labels { get; }

    /// <summary>The envelope over <see cref="ManifestBytes"/>, its payload compared but no signature verified; null if unsigned.</summary>
    public DsseEnvelope? Signature { get; }

    public ReadOnlyMemory<byte>? SignatureBytes { get; }

    /// <summary>Opens a bundle and checks its layout, media types, sizes and digests.</summary>
    /// <exception cref="BundleException">It breaks a rule; the message names the file, the rule and what to do.</exception>
    public static Bundle Open(string path, BundleCheck check = BundleCheck.Everything) => LayoutReader.Read(System.IO.Path.GetFullPath(path), check);

    /// <summary>The file of one of the manifest's blobs.</summary>
    public string PathOf(Digest digest) => LayoutPaths.Blob(Path, digest);

    /// <inheritdoc cref="PathOf(Digest)"/>
    public string PathOf(Blob blob) => PathOf(blob.Digest);

    public string PathOf(Variant variant) => PathOf(variant.Blob);

    /// <summary>The golden set's file.</summary>
    public string GoldenPath => PathOf(Manifest.Golden.Blob);

    /// <summary>Everything that a device may fetch: manifest, labels, golden set, variants and, if it is signed, the signature; each once.</summary>
    public IReadOnlyList<BundlePart> Parts() => LayoutReader.Parts(Path);

    /// <summary>The image manifest that names all parts: what a registry keeps under a tag.</summary>
    public BundlePart ImagePart() => LayoutReader.ImagePart(Path);

    /// <summary>Reads the golden set and compares its dimensions, labels and variants with the manifest.</summary>
    /// <exception cref="BundleException">It is malformed or belongs to another manifest.</exception>
    public GoldenSet OpenGolden()
    {
        var set = GoldenSet.Open(GoldenPath);
        GoldenMatch.Check(GoldenPath, set, Manifest, Labels.Count);
        return set;
    }

    /// <summary>Adds a release signature, or replaces the one that is there; the release id stays the same.</summary>
    /// <exception cref="BundleException">The envelope's payload is not this manifest.</exception>
    public Bundle WithSignature(DsseEnvelope envelope) => LayoutWriter.Sign(this, envelope);
}

/// <summary>One blob of a bundle as its image manifest lists it.</summary>
/// <param name="MediaType">One of <see cref="MediaTypes"/>, or that of an OCI image manifest.</param>
/// <param name="Digest">Names its file and its content.</param>
/// <param name="Size">Bytes.</param>
public readonly record struct BundlePart(string MediaType, Digest Digest, long Size);
