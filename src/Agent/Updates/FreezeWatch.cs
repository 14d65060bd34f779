using Dunlin.Agent.Reporting;
using Dunlin.Contracts.Signing;

namespace Dunlin.Agent.Updates;

/// <summary>
/// Notices that newer directives are withheld from this device while all else comes through: fresh documents then go on telling of a
/// counter that no directive brought. So they do when the fleet itself took the directive back. One thread.
/// </summary>
internal sealed class FreezeWatch(TrustState trust, DeviceReport report, TimeProvider time)
{
    /// <summary>A directive may come after the fresh document that tells of it.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private long _seen, _floor;
    private long? _behindSince;

    /// <summary>A directive that a trusted key has signed came, whether it was accepted or not.</summary>
    public void Saw(Directive directive) => _seen = Math.Max(_seen, directive.Counter);

    public void Look()
    {
        var floor = trust.Floors?.Counter ?? 0;
        // A root that replaces the online keys begins their counters anew.
        if (floor < _floor) _seen = 0;
        _floor = floor;
        var here = Math.Max(_seen, floor);
        var isBehind = trust.FreshCounter > here;
        _behindSince = isBehind ? _behindSince ?? time.GetTimestamp() : null;
        report.SetProblem("directives", _behindSince is { } since && time.GetElapsedTime(since) >= Patience
            ? $"The fleet has signed directive {trust.FreshCounter} for this device, but the newest that came is {here}: either the broker keeps it back (its access rules must let 'desired' through, and 'dunlin-fleet serve' must run), or it was taken back or has expired: push again."
            : null);
    }
}
