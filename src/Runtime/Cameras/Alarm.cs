namespace Dunlin.Runtime.Cameras;

/// <summary>Lets one thread wait for a span of a <see cref="TimeProvider"/>'s time; allocates nothing per wait.</summary>
internal sealed class Alarm : IDisposable
{
    private readonly SemaphoreSlim _rung = new(0);
    private readonly ITimer _timer;

    public Alarm(TimeProvider time) =>
        _timer = time.CreateTimer(static state => ((SemaphoreSlim)state!).Release(), _rung, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);

    /// <summary>False when cancelled before the time was over.</summary>
    public bool Wait(TimeSpan span, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return false;
        if (span <= TimeSpan.Zero) return true;
        _timer.Change(span, Timeout.InfiniteTimeSpan);
        try
        {
            _rung.Wait(cancellationToken);
            return true;
        }
        catch (OperationCanceledException)
        {
            _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return false;
        }
    }

    public void Dispose()
    {
        _timer.Dispose();
        _rung.Dispose();
    }
}
