namespace Dunlin.Agent.Children;

/// <summary>Waiting times between restarts: doubled each time, capped, and drawn between the half and the whole, so that boards do not act in step.</summary>
internal sealed class Backoff(TimeSpan first, TimeSpan longest, TimeSpan calm)
{
    private int _failures;

    /// <summary>What comes next begins anew.</summary>
    public void Reset() => _failures = 0;

    /// <summary>How long to wait after something that has lived so long; one that lived for the calm time begins anew.</summary>
    public TimeSpan Next(TimeSpan lived)
    {
        const int maximumDoublings = 20;
        _failures = lived >= calm ? 0 : Math.Min(_failures + 1, maximumDoublings);
        var whole = Math.Min(first.TotalSeconds * Math.Pow(2, Math.Max(0, _failures - 1)), longest.TotalSeconds);
        return TimeSpan.FromSeconds(whole * (0.5 + 0.5 * Random.Shared.NextDouble()));
    }
}
