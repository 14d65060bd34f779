namespace Dunlin.Runtime.Frames;

/// <summary>
/// Hands frames from one camera thread to one reader and keeps only the newest: a frame that was not taken
/// when the next one comes is dropped and counted. A camera fills the slot's buffers, or publishes buffers of its own.
/// Nothing is allocated after the first frames, and waiting never spins (a semaphore would, first).
/// </summary>
public sealed class NewestFrameSlot : IDisposable
{
    private static readonly Action<object?> Wake = static gate =>
    {
        lock (gate!) Monitor.PulseAll(gate);
    };

    private readonly object _gate = new();
    private readonly Stack<FrameBuffer> _free = new([new(), new(), new()]);
    private FrameBuffer? _newest;
    private bool _completed;
    private long _captured;
    private long _dropped;

    /// <summary>Frames published.</summary>
    public long CapturedCount => Volatile.Read(ref _captured);

    /// <summary>Frames replaced before anyone took them.</summary>
    public long DroppedCount => Volatile.Read(ref _dropped);

    /// <summary>A free buffer for the camera to fill; give it to <see cref="Publish"/> or back to <see cref="Return"/>.</summary>
    public FrameBuffer Rent()
    {
        lock (_gate) return _free.TryPop(out var buffer) ? buffer : new FrameBuffer();
    }

    /// <summary>Makes this the newest frame; never waits.</summary>
    public void Publish(FrameBuffer frame)
    {
        FrameBuffer? dropped;
        lock (_gate)
        {
            _captured++;
            dropped = _newest;
            _newest = frame;
            if (dropped is not null) _dropped++;
            Monitor.PulseAll(_gate);
        }

        if (dropped is not null) Return(dropped);
    }

    /// <summary>Drops the newest frame if its memory is lent: whose it is needs it back.</summary>
    public void DropLent()
    {
        FrameBuffer lent;
        lock (_gate)
        {
            if (_newest?.Returned is null) return;
            (lent, _newest) = (_newest, null);
            _dropped++;
            Monitor.PulseAll(_gate);
        }

        Return(lent);
    }

    /// <summary>Waits until the slot is empty; for a source that must lose nothing (files, benchmarks).</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public void WaitUntilTaken(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(Wake, _gate);
        lock (_gate)
        {
            while (_newest is not null)
            {
                cancellationToken.ThrowIfCancellationRequested();
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>No frame comes any more; a frame in the slot can still be taken.</summary>
    public void Complete()
    {
        lock (_gate)
        {
            _completed = true;
            Monitor.PulseAll(_gate);
        }
    }

    /// <summary>Waits for the newest frame; null after <see cref="Complete"/>.</summary>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public FrameBuffer? Take(CancellationToken cancellationToken)
    {
        using var registration = cancellationToken.UnsafeRegister(Wake, _gate);
        lock (_gate)
        {
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (_newest is { } frame)
                {
                    _newest = null;
                    Monitor.PulseAll(_gate);
                    return frame;
                }

                if (_completed) return null;
                Monitor.Wait(_gate);
            }
        }
    }

    /// <summary>The reader, or a camera that could not fill it, is done with this buffer.</summary>
    public void Return(FrameBuffer frame)
    {
        if (frame.Returned is { } returned)
        {
            returned();
            return;
        }

        lock (_gate) _free.Push(frame);
    }

    public void Dispose() => Complete();
}
