using System.Text.Json;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Documents;

namespace Dunlin.Contracts.Manifests;

/// <summary>Reads and writes the bytes of a manifest. The bytes that were read are what is signed and named, never bytes written again.</summary>
public static class ManifestReader
{
    public const int MaximumByteCount = 4 * 1024 * 1024;

    private const string Kind = "manifest";

    public static DocumentResult<Manifest> Read(ReadOnlySpan<byte> json) =>
        DocumentReader.Read(Kind, json, MaximumByteCount, StrictJson.Default.Manifest, ManifestRules.Check);

    /// <summary>The rules alone, for a manifest that was made here.</summary>
    public static DocumentResult<Manifest> Check(Manifest manifest) => DocumentReader.Check(Kind, manifest, ManifestRules.Check);

    /// <summary>The same rules for what a release is called, before there is a manifest.</summary>
    public static DocumentResult<ReleaseName> Check(ReleaseName release) => DocumentReader.Check(Kind, release, ManifestRules.Check);

    /// <summary>The bytes of a new manifest; the same record gives the same bytes, so the same release id.</summary>
    /// <exception cref="DocumentException">The manifest breaks a rule.</exception>
    public static byte[] Write(Manifest manifest) =>
        JsonSerializer.SerializeToUtf8Bytes(Check(manifest).GetOrThrow(), StrictJson.Default.Manifest);

    /// <summary>The release id: the digest of the manifest's bytes.</summary>
    public static Digest ReleaseId(ReadOnlySpan<byte> json) => Digest.Of(json);
}
