namespace Dunlin.Runtime.Racing;

/// <summary>When the live pipeline no longer runs as the verdict says.</summary>
public sealed record SustainedOptions
{
    /// <summary>How far p95 may leave the verdict's, as a share; 0.3 means from 1/1.3 to 1.3 times.</summary>
    public double Margin { get; init; } = 0.3;

    /// <summary>Windows in a row outside the margin that ask for a race.</summary>
    public int WindowCount { get; init; } = 6;

    /// <summary>Windows after a race, or after asking for one, in which none is asked for.</summary>
    public int RestWindowCount { get; init; } = 30;
}

/// <summary>
/// The sustained heat: compares the p95 of the live inference stage, window by window, with the verdict's, since the ranking
/// of the first minute is not that of the thirtieth. One thread.
/// </summary>
public sealed class SustainedMonitor(SustainedOptions options)
{
    private double? _expected;
    private int _outside;
    private int _rest;

    /// <summary>A verdict is in force from now on.</summary>
    /// <param name="p95Milliseconds">Of its winner; null where it has none, which nothing can leave.</param>
    public void Reset(double? p95Milliseconds) => (_expected, _outside, _rest) = (p95Milliseconds, 0, options.RestWindowCount);

    /// <returns>True, once, if another race is due.</returns>
    public bool Observe(double p95Milliseconds)
    {
        if (_rest > 0) _rest--;
        if (_expected is not { } expected || !(p95Milliseconds > 0)) return false;
        var distance = Math.Abs(Math.Log(p95Milliseconds / expected));
        var margin = Math.Log(1 + options.Margin);
        if (distance > margin) _outside++;
        // Hovering about the margin neither counts nor forgives.
        else if (distance < margin / 2) _outside = 0;
        if (_outside < options.WindowCount || _rest > 0) return false;
        (_outside, _rest) = (0, options.RestWindowCount);
        return true;
    }
}
