namespace Dunlin.Agent.Serving;

/// <summary>When something is tried, or looked at, again, however often the wait for it is broken off meanwhile. One thread.</summary>
internal sealed class Retry(TimeProvider time)
{
    private long? _since;
    private TimeSpan _pause;

    /// <summary>How long still to wait; infinite if nothing is to be tried.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (_since is not { } since) return Timeout.InfiniteTimeSpan;
            var left = _pause - time.GetElapsedTime(since);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Begins to wait now.</summary>
    public void Wait(TimeSpan pause) => (_since, _pause) = (time.GetTimestamp(), pause);

    /// <summary>Nothing is to be tried.</summary>
    public void Stop() => _since = null;
}
