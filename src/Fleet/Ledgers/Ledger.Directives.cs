using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Updates;
using Microsoft.Data.Sqlite;

namespace Dunlin.Fleet.Ledgers;

/// <summary>A directive as it was issued, and how it ended.</summary>
/// <param name="Device">Whom it is for.</param>
/// <param name="Counter">Rises with each directive for this device.</param>
/// <param name="Digest">Of the payload; what outcomes name.</param>
/// <param name="Release">What it tells to run.</param>
/// <param name="Envelope">The signed bytes that are published.</param>
/// <param name="Expires">Devices refuse it from then on.</param>
/// <param name="Result">Committed, rejected, rolled back or cancelled; null while nothing is known.</param>
/// <param name="Reason">The device's code.</param>
internal sealed record IssuedDirective(
    string Device, long Counter, Digest Digest, Digest Release, ReadOnlyMemory<byte> Envelope, DateTimeOffset Expires, UpdateState? Result, string? Reason);

/// <summary>Signs the directive with this counter for this device.</summary>
/// <returns>The payload's digest and the envelope's bytes.</returns>
internal delegate (Digest Digest, byte[] Envelope) DirectiveSigner(string device, long counter);

internal sealed partial class Ledger
{
    private const string DirectiveColumns = "SELECT d.device, d.counter, d.digest, d.release, d.envelope, d.expires, d.result, d.reason FROM directive d";

    /// <summary>Issues a directive to each device with its next counter, all of them or none; one that was retired is back.</summary>
    public IReadOnlyList<IssuedDirective> Issue(IReadOnlyList<string> devices, Digest release, DateTimeOffset issued, DateTimeOffset expires, DirectiveSigner sign)
    {
        lock (_gate)
        {
            using var transaction = _connection.BeginTransaction();
            var directives = devices.Select(device => Issue(device, release, issued, expires, sign)).ToList();
            transaction.Commit();
            return directives;
        }
    }

    /// <summary>The newest directive of one device, or of each, without those that are retired.</summary>
    public IReadOnlyList<IssuedDirective> Newest(string? device = null)
    {
        lock (_gate)
        {
            return Rows(
                $"{DirectiveColumns} JOIN (SELECT device, max(counter) AS counter FROM directive WHERE ($device IS NULL OR device = $device) AND device NOT IN (SELECT device FROM retired) GROUP BY device) n ON n.device = d.device AND n.counter = d.counter",
                ReadDirective, ("$device", device));
        }
    }

    /// <summary>How directives have ended, of those devices whose newest one has.</summary>
    public IReadOnlyList<(string Device, Digest Directive, UpdateState Result, string? Reason, string? Detail)> Ends()
    {
        lock (_gate)
        {
            return Rows(
                "SELECT device, digest, result, reason, detail, max(counter) FROM directive GROUP BY device HAVING result IS NOT NULL",
                row => (row.GetString(0), Digest.Parse(row.GetString(1)), Enum.Parse<UpdateState>(row.GetString(2)), TextOrNull(row, 3), TextOrNull(row, 4)));
        }
    }

    /// <summary>All directives of a device, the newest first.</summary>
    public IReadOnlyList<IssuedDirective> History(string device)
    {
        lock (_gate) return Rows($"{DirectiveColumns} WHERE d.device = $device ORDER BY d.counter DESC", ReadDirective, ("$device", device));
    }

    /// <summary>Keeps how a directive ended; the first ending that comes counts, and only from the device that it was for. True if it is news.</summary>
    public bool RecordEnd(string device, Digest directive, UpdateState result, string? reason, string? detail, DateTimeOffset now)
    {
        lock (_gate)
        {
            return Execute(
                "UPDATE directive SET result = $result, reason = $reason, detail = $detail, ended = $now WHERE digest = $digest AND device = $device AND result IS NULL",
                ("$digest", directive.ToString()), ("$device", device), ("$result", result.ToString()), ("$reason", reason), ("$detail", detail), ("$now", Text(now))) > 0;
        }
    }

    private IssuedDirective Issue(string device, Digest release, DateTimeOffset issued, DateTimeOffset expires, DirectiveSigner sign)
    {
        Admit(device, issued);
        var counter = Scalar<long>("UPDATE device SET counter = counter + 1 WHERE name = $name RETURNING counter", ("$name", device));
        var (digest, envelope) = sign(device, counter);
        Execute(
            """
            INSERT INTO directive (device, counter, digest, release, envelope, issued, expires)
            VALUES ($device, $counter, $digest, $release, $envelope, $issued, $expires)
            """,
            ("$device", device), ("$counter", counter), ("$digest", digest.ToString()), ("$release", release.ToString()),
            ("$envelope", envelope), ("$issued", Text(issued)), ("$expires", Text(expires)));
        return new IssuedDirective(device, counter, digest, release, envelope, expires, null, null);
    }

    private static IssuedDirective ReadDirective(SqliteDataReader row) => new(
        row.GetString(0), row.GetInt64(1), Digest.Parse(row.GetString(2)), Digest.Parse(row.GetString(3)), row.GetFieldValue<byte[]>(4),
        Time(row.GetString(5)), TextOrNull(row, 6) is { } result ? Enum.Parse<UpdateState>(result) : null, TextOrNull(row, 7));
}
