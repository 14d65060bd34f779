using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Pipeline;

/// <summary>Where the stages meet: lends inputs, hands preprocessed frames over, one at a time, and changes the session between two frames. Waiting never spins.</summary>
internal sealed class JobExchange(Serving serving) : IDisposable
{
    private readonly object _gate = new();
    private Serving _serving = serving;
    private Job? _ready;
    private bool _stopped;

    /// <summary>Why the preprocessing stage ended before its time; null if it did not.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Another session from the next frame on; waits until no frame is with the old one.</summary>
    public ModelSession Swap(Serving next)
    {
        Serving old;
        lock (_gate)
        {
            old = _serving;
            _serving = next;
            while (old.FramesInFlight > 0) Monitor.Wait(_gate);
        }

        old.Dispose();
        return old.Session;
    }

    /// <summary>Waits before a frame is taken, not after, so that the newest one is; and without an input, so that nothing hinders a swap.</summary>
    public void WaitForInput()
    {
        lock (_gate)
        {
            while (!_stopped && !_serving.HasFree) Monitor.Wait(_gate);
        }
    }

    /// <summary>An input of the session that now serves; waits while all are in use. Null when stopped.</summary>
    public Job? Rent()
    {
        lock (_gate)
        {
            while (!_stopped)
            {
                if (_serving.TryRent() is { } job) return job;
                Monitor.Wait(_gate);
            }

            return null;
        }
    }

    public void Return(Job job)
    {
        lock (_gate)
        {
            job.Serving.Return(job);
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits until the frame before is taken; false when stopped, and the job is then returned.</summary>
    public bool HandOver(Job job)
    {
        lock (_gate)
        {
            while (_ready is not null && !_stopped) Monitor.Wait(_gate);
            if (_stopped) job.Serving.Return(job);
            else _ready = job;
            Monitor.PulseAll(_gate);
            return !_stopped;
        }
    }

    /// <summary>The next preprocessed frame; null when stopped and none is left.</summary>
    public Job? TakeReady()
    {
        lock (_gate)
        {
            while (_ready is null && !_stopped) Monitor.Wait(_gate);
            var job = _ready;
            _ready = null;
            if (job is not null) Monitor.PulseAll(_gate);
            return job;
        }
    }

    /// <summary>Ends all waiting.</summary>
    public void Stop(Exception? failure = null)
    {
        lock (_gate)
        {
            Failure ??= failure;
            _stopped = true;
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose() => _serving.Dispose();
}
