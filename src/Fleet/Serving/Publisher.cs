using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// Puts on the broker, retained, what the ledger says: the root chain, each device's newest directive, and the beacon.
/// One after the other, so that an older directive never covers a newer one.
/// </summary>
internal sealed class Publisher(ServerKeys keys, Ledger ledger, BrokerLink link, TimeProvider time) : IDisposable
{
    /// <summary>How long a beacon counts: a device that got none for this long is cut off.</summary>
    public static readonly TimeSpan BeaconValidity = TimeSpan.FromDays(1);

    private const int Parallelism = 16;
    private readonly SemaphoreSlim _gate = new(1);

    /// <summary>Everything, as after a new connection. Whether the broker took the root chain, and how many documents with it; and whether it has nothing more for devices that left.</summary>
    public Task<(bool IsRootTaken, int Count, bool IsCleared)> AllAsync(CancellationToken cancellationToken) => InTurnAsync(
        async () =>
        {
            var isCleared = await ClearAsync(ledger.RetiredDevices(), cancellationToken);
            var isRootTaken = await RootAsync(cancellationToken);
            var others = await BeaconAsync(ledger.Devices(), cancellationToken) + await DirectivesAsync(ledger.Newest(), cancellationToken);
            return (isRootTaken, isRootTaken ? others + 1 : others, isCleared);
        },
        cancellationToken);

    /// <summary>
    /// The newest directives of some devices, and before them the beacon: a device whose beacon ran out would hold the
    /// directive back. How many directives the broker took.
    /// </summary>
    public Task<int> DirectivesAsync(IReadOnlyList<string> devices, CancellationToken cancellationToken) => InTurnAsync(
        async () =>
        {
            await BeaconAsync(devices, cancellationToken);
            return await DirectivesAsync([.. devices.SelectMany(device => ledger.Newest(device))], cancellationToken);
        },
        cancellationToken);

    public Task<int> BeaconAsync(CancellationToken cancellationToken) => InTurnAsync(() => BeaconAsync(ledger.Devices(), cancellationToken), cancellationToken);

    public void Dispose() => _gate.Dispose();

    private async Task<T> InTurnAsync<T>(Func<Task<T>> publish, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            return await publish();
        }
        finally
        {
            _gate.Release();
        }
    }

    private Task<bool> RootAsync(CancellationToken cancellationToken) =>
        link.TryRetainAsync(new Topics(keys.Fleet, "-").Root, RootChain.Format.Write(keys.Chain), cancellationToken);

    // What is below a device's counter is older than what the broker keeps: the database is an old copy.
    private Task<int> DirectivesAsync(IReadOnlyList<IssuedDirective> newest, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var live = newest.Where(directive => directive.Expires > now && directive.Counter >= ledger.Counter(directive.Device));
        return EachAsync(live, TryPublishAsync, cancellationToken);
    }

    // What the root does not vouch for any more, or names a revoked release, is cleared away, so that no device finds it there.
    private async Task<bool> TryPublishAsync(IssuedDirective directive, CancellationToken cancellationToken)
    {
        var isGood = IsGood(directive);
        var isTaken = await link.TryRetainAsync(new Topics(keys.Fleet, directive.Device).Desired, isGood ? directive.Envelope : ReadOnlyMemory<byte>.Empty, cancellationToken);
        return isGood && isTaken;
    }

    // What was for devices that left the fleet.
    private async Task<bool> ClearAsync(IReadOnlyList<string> devices, CancellationToken cancellationToken)
    {
        var topics = devices.Select(device => new Topics(keys.Fleet, device)).SelectMany(topics => (string[])[topics.Desired, topics.Fresh]).ToList();
        return await EachAsync(topics, (topic, token) => link.TryRetainAsync(topic, ReadOnlyMemory<byte>.Empty, token), cancellationToken) == topics.Count;
    }

    private bool IsGood(IssuedDirective directive) =>
        keys.Vouches(SigningRole.Directive, directive.Envelope) && ledger.Release(directive.Release) is { Revoked: null };

    private Task<int> BeaconAsync(IReadOnlyList<string> devices, CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        return EachAsync(
            devices.Select(device => (Device: device, Payload: keys.SignFresh(device, ledger.Counter(device), now, BeaconValidity))),
            (fresh, token) => link.TryRetainAsync(new Topics(keys.Fleet, fresh.Device).Fresh, fresh.Payload, token), cancellationToken);
    }

    private static async Task<int> EachAsync<T>(IEnumerable<T> items, Func<T, CancellationToken, Task<bool>> publish, CancellationToken cancellationToken)
    {
        var count = 0;
        await Parallel.ForEachAsync(
            items, new ParallelOptions { MaxDegreeOfParallelism = Parallelism, CancellationToken = cancellationToken },
            async (item, token) =>
            {
                if (await publish(item, token)) Interlocked.Increment(ref count);
            });
        return count;
    }
}
