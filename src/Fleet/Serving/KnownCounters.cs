using System.Collections.Concurrent;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// Learns from our own retained documents which counters were issued before: a database that was lost, is an old copy, or
/// is not the only one, must not go on below them, or devices would refuse what it issues. Only documents that our keys
/// signed count.
/// </summary>
internal sealed class KnownCounters(ServerKeys keys, Ledger ledger, TimeProvider time)
{
    private readonly RetainedWait _wait = new(time);
    private readonly ConcurrentDictionary<string, long> _seen = new();
    private int _connection;

    /// <summary>A <c>desired</c> or <c>fresh</c>, retained or of another process: what we publish does not come back on the same connection.</summary>
    public void Take(string device, ReadOnlyMemory<byte> payload)
    {
        _wait.Saw();
        if (DsseEnvelope.Format.Read(payload.Span).Value is not { } envelope || CounterOf(envelope, device) is not { } counter) return;
        _seen.AddOrUpdate(device, counter, (_, known) => Math.Max(known, counter));
    }

    /// <summary>Raises the counters to what was seen; on a new connection first waits until the broker has sent what it keeps. Not for two at a time.</summary>
    /// <param name="connection">Which one stands, by its number; null: none.</param>
    /// <param name="roundTrip">As measured on that connection.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>The devices whose counter was raised.</returns>
    public async Task<IReadOnlyList<(string Device, long Counter)>> LearnAsync(int? connection, TimeSpan roundTrip, CancellationToken cancellationToken)
    {
        if (connection is { } number && number != _connection)
        {
            await _wait.UntilSilentAsync(roundTrip, cancellationToken);
            _connection = number;
        }
        var now = time.GetUtcNow();
        return [.. _seen.Where(seen => Raise(seen, now)).Select(seen => (seen.Key, seen.Value))];
    }

    // Forgotten only once it is kept: the disk may be full.
    private bool Raise(KeyValuePair<string, long> seen, DateTimeOffset now)
    {
        var isNews = ledger.RaiseCounter(seen.Key, seen.Value, now);
        _seen.TryRemove(seen);
        return isNews;
    }

    private long? CounterOf(DsseEnvelope envelope, string device)
    {
        if (EnvelopeVerifier.Verify(envelope, SigningRole.Directive, keys.Root).IsAccepted)
            return Directive.Format.Read(envelope.Payload.Span).Value is { } directive && directive.Device == device && directive.Fleet == keys.Fleet ? directive.Counter : null;
        return EnvelopeVerifier.Verify(envelope, SigningRole.Fresh, keys.Root).IsAccepted
            && Fresh.Format.Read(envelope.Payload.Span).Value is { } fresh && fresh.Device == device && fresh.Fleet == keys.Fleet ? fresh.Counter : null;
    }
}
