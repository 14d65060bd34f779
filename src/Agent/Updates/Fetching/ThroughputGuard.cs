namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// Ends a request that brings less than so many bytes per second over a sliding window; also one that brings nothing at
/// all. Found within the window and a sixth of it.
/// </summary>
internal sealed class ThroughputGuard : IDisposable
{
    private const int SlotCount = 6;
    private readonly CancellationTokenSource _tooSlow = new();
    private readonly long[] _slots = new long[SlotCount];
    private readonly long _minimum;
    private readonly ITimer _timer;
    private long _current;
    private int _ticks;

    public ThroughputGuard(FetchLimits limits, TimeProvider time)
    {
        _minimum = (long)(limits.MinimumBytesPerSecond * limits.SlowWindow.TotalSeconds);
        var slot = limits.SlowWindow / SlotCount;
        _timer = time.CreateTimer(_ => Tick(), null, slot, slot);
    }

    /// <summary>Cancelled once the source is too slow.</summary>
    public CancellationToken Token => _tooSlow.Token;

    public bool IsTooSlow => _tooSlow.IsCancellationRequested;

    public void Count(int byteCount) => Interlocked.Add(ref _current, byteCount);

    public void Dispose()
    {
        _timer.Dispose();
        _tooSlow.Dispose();
    }

    private void Tick()
    {
        _slots[_ticks++ % SlotCount] = Interlocked.Exchange(ref _current, 0);
        if (_ticks < SlotCount || _slots.Sum() >= _minimum) return;
        try
        {
            _tooSlow.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The request ended while the timer fired.
        }
    }
}
