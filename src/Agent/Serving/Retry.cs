namespace Dunlin.Agent.Serving;

/// <summary>When something is tried, or looked at, again, however often the wait for it is broken off meanwhile. One thread.</summary>
internal sealed class Retry(TimeSpan interval, TimeProvider time)
{
    private long? _since;

    /// <summary>How long still to wait; infinite if nothing is to be tried.</summary>
    public TimeSpan Remaining
    {
        get
        {
            if (_since is not { } since) return Timeout.InfiniteTimeSpan;
            var left = interval - time.GetElapsedTime(since);
            return left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }
    }

    /// <summary>Begins to wait now, or waits no more.</summary>
    public void Set(bool isWanted) => _since = isWanted ? time.GetTimestamp() : null;
}
