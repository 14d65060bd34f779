using Dunlin.Bundles.Durability;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Runtime.Racing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Agent.Updates;

/// <summary>The releases on this board and the links <c>active</c> and <c>last-good</c>. Blobs are the blob store's. One writer.</summary>
internal sealed class ReleaseStore(StateLayout layout, BoardFacts board)
{
    private const string LinkFolder = "releases/";

    /// <summary>What is to be served; null before the first switch.</summary>
    public Digest? Active => ReadLink(layout.Active);

    /// <summary>What was committed last; null before the first commit.</summary>
    public Digest? LastGood => ReadLink(layout.LastGood);

    /// <summary>What must not be removed.</summary>
    public IReadOnlySet<Digest> Kept => new[] { Active, LastGood }.OfType<Digest>().ToHashSet();

    /// <summary>Whether this hardware could run the variant at all; free memory and quarantine, which change, are the race's business.</summary>
    public bool IsWanted(Variant variant) =>
        variant.Requires.ExecutionProviders.Contains(Providers.Cpu)
        && variant.Requires.CpuFeatures.All(board.CpuFlags.Contains)
        && variant.Requires.MemoryByteCount <= board.MemoryLimitByteCount;

    /// <summary>Hashes all of its blobs that this hardware needs.</summary>
    public StoredRelease Open(Digest id) => StoredRelease.Open(layout, id, IsWanted);

    /// <summary>The blobs that a release needs on this board: labels, golden set, and the variants that it could run.</summary>
    public IReadOnlyList<Blob> BlobsOf(Manifest manifest) =>
        [manifest.Labels, manifest.Golden.Blob, .. manifest.Variants.Where(IsWanted).Select(variant => variant.Blob).DistinctBy(blob => blob.Digest)];

    /// <summary>The objective of the directive of the release; null if it named none.</summary>
    public Objective? ObjectiveOf(Digest id) => DirectiveOf(id)?.Directive.Policy.Objective;

    /// <summary>The directive that brought the release, or the last one for it; it says where its artifacts are.</summary>
    public (DsseEnvelope Envelope, Directive Directive)? DirectiveOf(Digest id)
    {
        try
        {
            var path = DirectivePath(id);
            if (!File.Exists(path)) return null;
            var envelope = DsseEnvelope.Format.Read(File.ReadAllBytes(path));
            return envelope.IsValid && Directive.Format.Read(envelope.Value.Payload.Span).Value is { } directive ? (envelope.Value, directive) : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>Writes what names and signs a release; its blobs are there already.</summary>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public void Write(Digest id, DsseEnvelope release, byte[] releaseBytes, DsseEnvelope directive)
    {
        DurableFile.CreateDirectory(layout.Release(id));
        DurableFile.Write(layout.ReleaseManifest(id), release.Payload.Span);
        DurableFile.Write(layout.ReleaseSignature(id), releaseBytes);
        KeepDirective(id, directive);
    }

    /// <summary>The directive that says from now on where the artifacts of an installed release are.</summary>
    /// <exception cref="IOException">The disk does not take it; the old one stands.</exception>
    public void KeepDirective(Digest id, DsseEnvelope directive) => DurableFile.Write(DirectivePath(id), DsseEnvelope.Format.Write(directive));

    /// <summary>One rename; null removes the link.</summary>
    /// <exception cref="IOException">The disk does not take it; the old link stands.</exception>
    public void Activate(Digest? id) => Point(layout.Active, id);

    /// <inheritdoc cref="Activate"/>
    public void SetLastGood(Digest? id) => Point(layout.LastGood, id);

    /// <summary>Every blob that these releases may need, read from their manifests.</summary>
    public IReadOnlySet<Digest> BlobsOf(IEnumerable<Digest> releases)
    {
        var kept = new HashSet<Digest>();
        foreach (var id in releases)
        {
            if (!File.Exists(layout.ReleaseManifest(id)) || Manifest.Format.Read(File.ReadAllBytes(layout.ReleaseManifest(id))).Value is not { } manifest) continue;
            kept.Add(manifest.Labels.Digest);
            kept.Add(manifest.Golden.Blob.Digest);
            kept.UnionWith(manifest.Variants.Select(variant => variant.Blob.Digest));
        }

        return kept;
    }

    /// <summary>Removes every release but these, and unfinished files.</summary>
    public void KeepOnly(IReadOnlySet<Digest> releases)
    {
        if (!Directory.Exists(layout.Releases)) return;
        var names = releases.Select(id => id.Hex).ToHashSet();
        foreach (var folder in Directory.EnumerateDirectories(layout.Releases))
            if (!names.Contains(Path.GetFileName(folder))) Directory.Delete(folder, recursive: true);
        DurableFile.SyncDirectory(layout.Releases);
    }

    private string DirectivePath(Digest id) => Path.Combine(layout.Release(id), "directive.dsse");

    private static void Point(string link, Digest? id)
    {
        if (id is { } release) DurableFile.Link(link, StateLayout.ReleaseLink(release));
        else DurableFile.Delete(link);
    }

    private static Digest? ReadLink(string path)
    {
        var target = new FileInfo(path).LinkTarget;
        return target?.StartsWith(LinkFolder, StringComparison.Ordinal) == true && Digest.TryParse("sha256:" + target[LinkFolder.Length..], out var id) ? id : null;
    }
}
