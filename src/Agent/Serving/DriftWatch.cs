using Dunlin.Runtime.Racing;

namespace Dunlin.Agent.Serving;

/// <summary>When the winner no longer runs as its race promised, and what the race after that has shown. One thread.</summary>
internal sealed class DriftWatch(SustainedOptions options)
{
    private readonly SustainedMonitor _sustained = new(options);
    private double? _drifted;

    /// <param name="p95Milliseconds">Of the inferences of a window.</param>
    /// <param name="isTrial">A race would then be measured as the release's own slowness, and its result belongs to the trial.</param>
    /// <returns>True, once, if another race is due.</returns>
    public bool Observe(double p95Milliseconds, bool isTrial)
    {
        if (isTrial || !_sustained.Observe(p95Milliseconds)) return false;
        _drifted = p95Milliseconds;
        return true;
    }

    /// <summary>A verdict is in force.</summary>
    /// <param name="p95Milliseconds">As what serves now ran in the race; null if it did not.</param>
    /// <param name="isSame">It served before the race: one that was run because of a drift, and changed nothing, has shown what is normal here.</param>
    public void Adopt(double? p95Milliseconds, bool isSame)
    {
        _sustained.Reset(isSame ? _drifted ?? p95Milliseconds : p95Milliseconds);
        _drifted = null;
    }
}
