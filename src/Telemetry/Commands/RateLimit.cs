namespace Dunlin.Telemetry.Commands;

/// <summary>A token bucket on the monotonic clock. Thread-safe.</summary>
internal sealed class RateLimit(int burst, TimeSpan refill, TimeProvider time)
{
    private readonly Lock _gate = new();
    private double _tokens = burst;
    private long _last = time.GetTimestamp();

    public bool TryTake()
    {
        lock (_gate)
        {
            _tokens = Math.Min(burst, _tokens + (time.GetElapsedTime(_last) / refill));
            _last = time.GetTimestamp();
            if (_tokens < 1) return false;
            _tokens--;
            return true;
        }
    }
}
