using System.Globalization;
using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Signing;
using Microsoft.Data.Sqlite;

namespace Dunlin.Fleet.Ledgers;

/// <summary>A release that this fleet has published or pushed.</summary>
/// <param name="Id">Digest of the manifest.</param>
/// <param name="Name">Of the bundle.</param>
/// <param name="Label">For people.</param>
/// <param name="Version">Rises.</param>
/// <param name="SecurityEpoch">A device that committed a higher one refuses it.</param>
/// <param name="Envelope">The bytes of its signature layer.</param>
/// <param name="Revoked">When it was taken back; null: good.</param>
internal sealed record KnownRelease(Digest Id, string Name, string Label, int Version, int SecurityEpoch, ReadOnlyMemory<byte> Envelope, DateTimeOffset? Revoked)
{
    public string Title => $"{Name} {Label}";

    public static KnownRelease Of(Bundle bundle) => new(
        bundle.ReleaseId, bundle.Manifest.Name, bundle.Manifest.Label, bundle.Manifest.Version, bundle.Manifest.SecurityEpoch,
        bundle.SignatureBytes ?? throw new ArgumentException($"The bundle '{bundle.Path}' is unsigned; sign it with 'dunlin-fleet sign'.", nameof(bundle)), null);

    /// <summary>Whether devices under this root accept it: after a rotation of the release keys it may have to be signed again.</summary>
    public bool IsSigned(Root root) => Judge(root).IsAccepted;

    /// <exception cref="FleetException">Devices under this root would refuse it.</exception>
    public void RequireSigned(Root root)
    {
        if (Judge(root) is { IsAccepted: false } refused)
            throw new FleetException(ExitCodes.BelowThreshold, $"'{Title}' would be refused by every device: {refused.Detail}");
    }

    private VerificationResult Judge(Root root) => EnvelopeVerifier.Verify(DsseEnvelope.Format.Read(Envelope.Span).GetOrThrow(), SigningRole.Release, root);
}

internal sealed partial class Ledger
{
    private const string ReleaseColumns = "SELECT id, name, label, version, epoch, envelope, revoked FROM release";

    /// <summary>Keeps a release; a later signature replaces the earlier one, a revocation stays.</summary>
    public void Add(KnownRelease release, DateTimeOffset now)
    {
        lock (_gate)
        {
            Execute(
                """
                INSERT INTO release (id, name, label, version, epoch, envelope, added) VALUES ($id, $name, $label, $version, $epoch, $envelope, $now)
                ON CONFLICT (id) DO UPDATE SET envelope = excluded.envelope
                """,
                ("$id", release.Id.ToString()), ("$name", release.Name), ("$label", release.Label), ("$version", release.Version),
                ("$epoch", release.SecurityEpoch), ("$envelope", release.Envelope.ToArray()), ("$now", Text(now)));
        }
    }

    public void AddSource(Digest release, ArtifactSource source, DateTimeOffset now)
    {
        lock (_gate)
        {
            Execute(
                """
                INSERT INTO source (release, kind, location, added) VALUES ($release, $kind, $location, $now)
                ON CONFLICT DO UPDATE SET added = excluded.added
                """,
                ("$release", release.ToString()), ("$kind", source.Kind.ToString()), ("$location", source.Location ?? ""), ("$now", Text(now)));
        }
    }

    /// <summary>Where a release was published, the latest first, MQTT last.</summary>
    public IReadOnlyList<ArtifactSource> Sources(Digest release)
    {
        lock (_gate)
        {
            return Rows(
                "SELECT kind, location FROM source WHERE release = $release ORDER BY kind = 'Mqtt', added DESC",
                row => new ArtifactSource { Kind = Enum.Parse<SourceKind>(row.GetString(0)), Location = row.GetString(1) is { Length: > 0 } location ? location : null },
                ("$release", release.ToString()));
        }
    }

    /// <summary>Blobs that devices may ask for over MQTT; their files are in the blob store already.</summary>
    public void AddBlobs(Digest release, IEnumerable<(Digest Digest, long Size)> blobs)
    {
        lock (_gate)
        {
            using var transaction = _connection.BeginTransaction();
            foreach (var (digest, size) in blobs)
                Execute("INSERT INTO blob (digest, release, size) VALUES ($digest, $release, $size) ON CONFLICT DO NOTHING", ("$digest", digest.ToString()), ("$release", release.ToString()), ("$size", size));
            transaction.Commit();
        }
    }

    /// <summary>Size in bytes of a blob of a published release that is not revoked; null: nobody may have it.</summary>
    public long? SizeOfPublished(Digest blob)
    {
        lock (_gate)
        {
            return Scalar<long?>(
                "SELECT blob.size FROM blob JOIN release ON release.id = blob.release WHERE blob.digest = $digest AND release.revoked IS NULL LIMIT 1",
                ("$digest", blob.ToString()));
        }
    }

    public KnownRelease? Release(Digest id)
    {
        lock (_gate) return Rows($"{ReleaseColumns} WHERE id = $id", Read, ("$id", id.ToString())).FirstOrDefault();
    }

    /// <summary>Releases whose id begins so, or whose name and label are these (<c>garments 1.4.0</c>).</summary>
    public IReadOnlyList<KnownRelease> FindReleases(string text)
    {
        lock (_gate)
        {
            return Rows($"{ReleaseColumns} WHERE name || ' ' || label = $text OR label = $text OR substr(id, 1, length($text)) = $text OR substr(id, 8, length($text)) = $text", Read, ("$text", text));
        }
    }

    /// <summary>Takes a release back: no directive names it any more, and no blob that is only its own is given out.</summary>
    public void Revoke(Digest release, DateTimeOffset now)
    {
        lock (_gate) Execute("UPDATE release SET revoked = coalesce(revoked, $now) WHERE id = $id", ("$id", release.ToString()), ("$now", Text(now)));
    }

    private static KnownRelease Read(SqliteDataReader row) => new(
        Digest.Parse(row.GetString(0)), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt32(4), row.GetFieldValue<byte[]>(5),
        TextOrNull(row, 6) is { } revoked ? DateTimeOffset.Parse(revoked, CultureInfo.InvariantCulture) : null);
}
