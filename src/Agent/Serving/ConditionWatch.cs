using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Serving;

/// <summary>
/// When a board that serves is looked at again, and whether it still is as the verdict in force found it: governor, cores,
/// memory limit, who may start. One thread.
/// </summary>
internal sealed class ConditionWatch(TimeProvider time)
{
    private static readonly TimeSpan LookInterval = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan RaceInterval = TimeSpan.FromHours(1);

    private readonly Retry _look = new(time);
    private RaceConditions? _inForce;
    private Digest? _lastSeen;
    private long? _raced;

    /// <summary>Until the next look; infinite while there is no verdict.</summary>
    public TimeSpan Remaining => _look.Remaining;

    /// <param name="conditions">Of the verdict that is in force from now on.</param>
    public void Adopt(RaceConditions conditions)
    {
        (_inForce, _lastSeen) = (conditions, null);
        _look.Wait(LookInterval);
    }

    /// <summary>One look, behind which the next is waited for. What changes must hold for two looks, and is worth one race an hour at most.</summary>
    /// <param name="now">As the board is; null: it cannot be raced now.</param>
    /// <returns>What has changed, if another verdict is due; else null.</returns>
    public string? Look(RaceConditions? now)
    {
        _look.Wait(LookInterval);
        if (now is null || _inForce is null) return null;
        var seen = Fingerprint.Of(now);
        var isSteady = seen == _lastSeen;
        _lastSeen = seen;
        if (!isSteady || seen == Fingerprint.Of(_inForce) || (_raced is { } raced && time.GetElapsedTime(raced) < RaceInterval)) return null;
        _raced = time.GetTimestamp();
        return Difference(_inForce, now);
    }

    private static string Difference(RaceConditions before, RaceConditions now)
    {
        var changes = Describe(before).Zip(Describe(now)).Where(pair => pair.First != pair.Second).Select(pair => $"{pair.First} → {pair.Second}");
        return string.Join(", ", changes.DefaultIfEmpty("other contenders"));
    }

    private static IEnumerable<string> Describe(RaceConditions conditions) =>
    [
        $"governor {conditions.CpuGovernor ?? "unknown"}",
        $"usable cores {conditions.UsableCores}",
        $"memory limit {conditions.MemoryLimitByteCount} bytes",
        $"contenders {conditions.Contenders.Count}",
    ];
}
