using Dunlin.Contracts.Messages;

namespace Dunlin.Fleet.Serving;

/// <summary>One request for a piece of a blob, waiting for its turn.</summary>
internal readonly record struct PendingBlob(string Device, BlobRequest Request, byte[]? Correlation);

/// <summary>
/// A device's waiting requests and its allowance: a token bucket (ITU-T I.371) of bytes. Guarded by its owner's lock.
/// </summary>
internal sealed class BlobQueue(string device, long now)
{
    /// <summary>Requests that may wait; a device that keeps its own limit never meets it.</summary>
    public const int MaximumWaitingCount = 32;

    public const double BytesPerSecond = 4 * 1024 * 1024;
    private const double BurstByteCount = 64 * BlobRequest.MaximumLength;
    private readonly Queue<PendingBlob> _waiting = new();
    private double _tokens = BurstByteCount;
    private long _filled = now;

    public string Device => device;

    public bool IsEmpty => _waiting.Count == 0;

    /// <summary>As good as new: nothing waits and the bucket is full, so that it need not be kept.</summary>
    public bool IsIdle(long timestamp, TimeProvider time)
    {
        Fill(timestamp, time);
        return IsEmpty && _tokens >= BurstByteCount;
    }

    public bool TryAdd(PendingBlob request)
    {
        if (_waiting.Count >= MaximumWaitingCount) return false;
        _waiting.Enqueue(request);
        return true;
    }

    /// <summary>The next request, or how long to wait for it.</summary>
    public bool TryTake(long timestamp, TimeProvider time, out PendingBlob request, out TimeSpan wait)
    {
        Fill(timestamp, time);
        request = _waiting.Peek();
        var cost = Math.Clamp(request.Request.Length, 1, BlobRequest.MaximumLength);
        wait = TimeSpan.FromSeconds((cost - _tokens) / BytesPerSecond);
        if (wait > TimeSpan.Zero) return false;
        _tokens -= cost;
        _waiting.Dequeue();
        return true;
    }

    private void Fill(long timestamp, TimeProvider time)
    {
        _tokens = Math.Min(BurstByteCount, _tokens + (time.GetElapsedTime(_filled, timestamp).TotalSeconds * BytesPerSecond));
        _filled = timestamp;
    }
}
