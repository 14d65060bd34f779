using System.Collections.Concurrent;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;

namespace Dunlin.Fleet.Pushing;

/// <summary>Which devices there are: those that were enrolled or pushed to, and those whose <c>status</c> the broker keeps, but none that left the fleet.</summary>
internal sealed class Roster(RetainedWait wait)
{
    public const string All = "all";
    private readonly ConcurrentDictionary<string, bool> _seen = new();

    public void Take(Arrival arrival)
    {
        if (arrival.Topic.Split('/') is not [_, _, _, var device, "status"] || arrival.Payload.IsEmpty || !DeviceName.IsValid(device)) return;
        _seen[device] = true;
        wait.Saw();
    }

    /// <summary>The devices that were named, or every one that is known for <see cref="All"/>.</summary>
    /// <exception cref="FleetException">No device is known.</exception>
    public async Task<IReadOnlyList<string>> ResolveAsync(IReadOnlyList<string> wanted, Ledger ledger, TimeSpan roundTrip, CancellationToken cancellationToken)
    {
        if (!wanted.Contains(All)) return [.. wanted.Distinct().Order(StringComparer.Ordinal)];
        var seen = await SeenAsync(ledger, roundTrip, cancellationToken);
        var devices = ledger.Devices().Concat(seen).Distinct().Order(StringComparer.Ordinal).ToList();
        return devices.Count > 0
            ? devices
            : throw new FleetException(ExitCodes.InputMissing, "No device is known: none was enrolled, and the broker keeps no 'status'; name devices with --to.");
    }

    /// <summary>Those of some devices that are not of the fleet, and that the broker does not know either.</summary>
    public async Task<IReadOnlyList<string>> StrangersAsync(IReadOnlyList<string> devices, Ledger ledger, TimeSpan roundTrip, CancellationToken cancellationToken)
    {
        var strangers = devices.Except(ledger.Devices()).ToList();
        return strangers.Count == 0 ? [] : [.. strangers.Except(await SeenAsync(ledger, roundTrip, cancellationToken))];
    }

    // What a device said stays on the broker after it has left the fleet.
    private async Task<IEnumerable<string>> SeenAsync(Ledger ledger, TimeSpan roundTrip, CancellationToken cancellationToken)
    {
        await wait.UntilSilentAsync(roundTrip, cancellationToken);
        return _seen.Keys.Except(ledger.RetiredDevices());
    }
}
