using System.Text.Json;
using Dunlin.Bundles.Golden;
using Dunlin.Contracts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;

namespace Dunlin.Bundles.Layouts;

/// <summary>
/// Packs a bundle: add the files, put the blobs that come back into a manifest, write. The same files and manifest
/// give the same bytes, so the same release id. Not thread-safe.
/// </summary>
public sealed class BundleWriter
{
    private readonly Dictionary<Digest, BlobSource> _sources = [];

    /// <summary>A file that is copied when the bundle is written; it must not change until then.</summary>
    public Blob AddFile(string path)
    {
        var blob = BlobFile.Describe(path);
        _sources[blob.Digest] = new BlobSource(blob, path, default);
        return blob;
    }

    public Blob AddBytes(ReadOnlyMemory<byte> content)
    {
        var blob = BlobFile.Describe(content);
        _sources[blob.Digest] = new BlobSource(blob, null, content);
        return blob;
    }

    /// <summary>Class names in the order of the output.</summary>
    public Blob AddLabels(IReadOnlyList<string> labels) =>
        AddBytes(JsonSerializer.SerializeToUtf8Bytes(labels, StrictJson.Default.IReadOnlyListString));

    public Blob AddGolden(GoldenContent content) => AddBytes(GoldenFormat.Write(content));

    /// <summary>
    /// Writes the layout beside <paramref name="directory"/> and renames it there, so that it is complete or absent.
    /// Opened again with every digest checked before it is given back.
    /// </summary>
    /// <param name="directory">Must not exist, or be empty.</param>
    /// <param name="manifest">Its blobs must be among the added ones.</param>
    /// <exception cref="Contracts.Documents.DocumentException">The manifest breaks a rule.</exception>
    /// <exception cref="BundleException">The parts do not fit together.</exception>
    public Bundle Write(string directory, Manifest manifest) => LayoutWriter.Pack(Path.GetFullPath(directory), manifest, _sources);
}

/// <summary>Where a blob's bytes are: a file or memory.</summary>
internal readonly record struct BlobSource(Blob Blob, string? File, ReadOnlyMemory<byte> Content);
