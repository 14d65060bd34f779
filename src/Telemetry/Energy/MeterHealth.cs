namespace Dunlin.Telemetry.Energy;

/// <summary>What may be wrong with a meter.</summary>
internal enum MeterFault
{
    Silent = 1,
    NoNumber = 2,
    Negative = 3,
    TooHigh = 4,
    CountsBackwards = 5,
    Stuck = 6,
}

/// <summary>
/// What is wrong with a meter, said once in the words of the first bad reading, and taken back after some time of good ones:
/// neither log nor report flicker with a sensor that does, or with its values. Not thread-safe.
/// </summary>
internal sealed class MeterHealth(TimeProvider time)
{
    /// <summary>Without the fault for so long, it is over.</summary>
    internal static readonly TimeSpan Convalescence = TimeSpan.FromSeconds(10);

    private MeterFault _fault;
    private long _lastSeen;

    /// <summary>A sentence; null if nothing is wrong.</summary>
    public string? Problem { get; private set; }

    public void Good()
    {
        if (IsOver) Problem = null;
    }

    public void Bad(MeterFault fault, string sentence)
    {
        if (Problem is null || IsOver) (_fault, Problem) = (fault, sentence);
        if (_fault == fault) _lastSeen = time.GetTimestamp();
    }

    private bool IsOver => time.GetElapsedTime(_lastSeen) >= Convalescence;
}
