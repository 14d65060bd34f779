using Dunlin.Contracts.Artifacts;

namespace Dunlin.Contracts.Updates;

/// <summary>The paths below <c>/var/lib/dunlin</c>.</summary>
public sealed record StateLayout(string Root)
{
    /// <summary>The DSSE envelope of the trusted root.</summary>
    public string TrustRoot => Path.Combine(Root, "trust", "root.json");
    /// <summary>The DSSE envelope of the newest accepted fresh document.</summary>
    public string Fresh => Path.Combine(Root, "trust", "fresh.json");
    public string Floors => Path.Combine(Root, "trust", "floors.json");
    public string Blobs => Path.Combine(Root, "blobs", "sha256");
    public string Partial => Path.Combine(Root, "partial");
    public string Releases => Path.Combine(Root, "releases");
    public string Active => Path.Combine(Root, "active");
    public string LastGood => Path.Combine(Root, "last-good");
    public string Cache => Path.Combine(Root, "cache");
    public string Journal => Path.Combine(Root, "state", "journal.json");
    public string Seen => Path.Combine(Root, "state", "seen.json");
    public string Quarantine => Path.Combine(Root, "state", "quarantine.json");
    public string IdlePower => Path.Combine(Root, "state", "idle-power.json");
    public string Verdicts => Path.Combine(Root, "state", "verdicts");
    public string Outcomes => Path.Combine(Root, "outbox", "outcomes");
    public string Telemetry => Path.Combine(Root, "outbox", "telemetry");
    /// <summary>Empty; locked while an agent runs.</summary>
    public string Lock => Path.Combine(Root, "agent.lock");
    public string Reserve => Path.Combine(Root, "reserve.bin");

    public string Blob(Digest digest) => Path.Combine(Blobs, digest.Hex);
    public string PartialBlob(Digest digest) => Path.Combine(Partial, digest.Hex + ".part");
    public string PartialMap(Digest digest) => Path.Combine(Partial, digest.Hex + ".map");
    public string Release(Digest id) => Path.Combine(Releases, id.Hex);
    public string ReleaseManifest(Digest id) => Path.Combine(Releases, id.Hex, "manifest.json");
    public string ReleaseSignature(Digest id) => Path.Combine(Releases, id.Hex, "signature.dsse");

    /// <summary>What <see cref="Active"/> and <see cref="LastGood"/> hold as link text: relative, so that the tree can be moved.</summary>
    public static string ReleaseLink(Digest id) => $"releases/{id.Hex}";

    /// <summary>The backup of a file that has one (<see cref="Floors"/>, <see cref="Journal"/>, <see cref="Seen"/>).</summary>
    public static string Backup(string path) => path + ".bak";
}
