using System.Collections.Concurrent;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// Learns from our own retained documents which counters were issued before: a database that was lost, or is an old
/// copy, must not begin below them, or devices would refuse what it issues. Only documents that our keys signed count.
/// </summary>
internal sealed class KnownCounters(ServerKeys keys, Ledger ledger, TimeProvider time)
{
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(250), Patience = TimeSpan.FromSeconds(10);
    private readonly ConcurrentDictionary<string, long> _seen = new();
    private long _lastArrival;
    private bool _hasLearnt;

    /// <summary>A retained <c>desired</c> or <c>fresh</c>; later ones are our own publications, which come back.</summary>
    public void Take(string device, ReadOnlyMemory<byte> payload)
    {
        if (Volatile.Read(ref _hasLearnt)) return;
        Volatile.Write(ref _lastArrival, time.GetTimestamp());
        if (EnvelopeReader.Read(payload.Span).Value is not { } envelope || CounterOf(envelope, device) is not { } counter) return;
        _seen.AddOrUpdate(device, counter, (_, known) => Math.Max(known, counter));
    }

    /// <summary>Waits until the broker has sent what it keeps, once; the devices whose counter was raised.</summary>
    public async Task<IReadOnlyList<(string Device, long Counter)>> LearnAsync(CancellationToken cancellationToken)
    {
        if (_hasLearnt) return [];
        var started = time.GetTimestamp();
        Volatile.Write(ref _lastArrival, started);
        while (time.GetElapsedTime(Volatile.Read(ref _lastArrival)) < Quiet && time.GetElapsedTime(started) < Patience)
            await Task.Delay(Quiet / 5, time, cancellationToken);
        var now = time.GetUtcNow();
        List<(string Device, long Counter)> raised = [.. _seen.Where(seen => ledger.RaiseCounter(seen.Key, seen.Value, now)).Select(seen => (seen.Key, seen.Value))];
        Volatile.Write(ref _hasLearnt, true);
        return raised;
    }

    private long? CounterOf(DsseEnvelope envelope, string device)
    {
        if (EnvelopeVerifier.Verify(envelope, SigningRole.Directive, keys.Root).IsAccepted)
            return DirectiveReader.Read(envelope.Payload.Span).Value is { } directive && directive.Device == device && directive.Fleet == keys.Fleet ? directive.Counter : null;
        return EnvelopeVerifier.Verify(envelope, SigningRole.Fresh, keys.Root).IsAccepted
            && FreshReader.Read(envelope.Payload.Span).Value is { } fresh && fresh.Device == device && fresh.Fleet == keys.Fleet ? fresh.Counter : null;
    }
}
