namespace Dunlin.Runtime.Frames;

/// <summary>
/// Hands frames from one camera thread to one reader and keeps only the newest: a frame that was not taken
/// when the next one comes is dropped and counted. Nothing is allocated after the first frames.
/// </summary>
public sealed class NewestFrameSlot : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Stack<FrameBuffer> _free = new([new(), new(), new()]);
    private readonly SemaphoreSlim _filled = new(0);
    private readonly SemaphoreSlim _emptied = new(0);
    private FrameBuffer? _newest;
    private bool _completed;

    /// <summary>Frames published.</summary>
    public long CapturedCount { get; private set; }

    /// <summary>Frames replaced before anyone took them.</summary>
    public long DroppedCount { get; private set; }

    /// <summary>A free buffer for the camera to fill; give it to <see cref="Publish"/> or back to <see cref="Return"/>.</summary>
    public FrameBuffer Rent()
    {
        lock (_gate) return _free.TryPop(out var buffer) ? buffer : new FrameBuffer();
    }

    /// <summary>Makes this the newest frame; never waits.</summary>
    public void Publish(FrameBuffer frame)
    {
        lock (_gate)
        {
            CapturedCount++;
            if (_newest is { } old)
            {
                DroppedCount++;
                _free.Push(old);
                _newest = frame;
                return;
            }

            _newest = frame;
        }

        _filled.Release();
    }

    /// <summary>Waits until the slot is empty; for a source that must lose nothing (files, benchmarks).</summary>
    public void WaitUntilTaken(CancellationToken cancellationToken)
    {
        while (true)
        {
            lock (_gate) if (_newest is null) return;
            _emptied.Wait(cancellationToken);
        }
    }

    /// <summary>No frame comes any more; a frame in the slot can still be taken.</summary>
    public void Complete()
    {
        lock (_gate) _completed = true;
        _filled.Release();
    }

    /// <summary>Waits for the newest frame; null after <see cref="Complete"/>.</summary>
    public FrameBuffer? Take(CancellationToken cancellationToken)
    {
        while (true)
        {
            _filled.Wait(cancellationToken);
            lock (_gate)
            {
                if (_newest is { } frame)
                {
                    _newest = null;
                    if (_emptied.CurrentCount == 0) _emptied.Release();
                    return frame;
                }

                if (!_completed) continue;
            }

            _filled.Release();
            return null;
        }
    }

    /// <summary>The reader, or a camera that could not fill it, is done with this buffer.</summary>
    public void Return(FrameBuffer frame)
    {
        lock (_gate) _free.Push(frame);
    }

    public void Dispose()
    {
        _filled.Dispose();
        _emptied.Dispose();
    }
}
