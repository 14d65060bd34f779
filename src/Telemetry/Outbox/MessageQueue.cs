namespace Dunlin.Telemetry.Outbox;

/// <summary>
/// A first-in-first-out queue of messages on disk, in segments. At least once: a message leaves after <see cref="Acknowledge"/>,
/// and may come again after a crash. Thread-safe. Never throws for a bad disk: it counts, and opens its files when the disk
/// takes writes.
/// </summary>
internal sealed class MessageQueue : IDisposable
{
    private const int NoSpace = 28;
    private const int QuotaExceeded = 122;

    private readonly Lock _gate = new();
    private readonly string _directory;
    private readonly long _maximumByteCount;
    private readonly Overflow _overflow;
    private readonly List<Segment> _segments = [];
    private readonly Queue<byte[]> _unwritten = new();
    private readonly Cursor _cursor;
    private bool _isOpen;
    private long _queued;
    private long _nextNumber = 1;
    private TaskCompletionSource _arrived = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public MessageQueue(string directory, long maximumByteCount, Overflow overflow)
    {
        (_directory, _maximumByteCount, _overflow) = (directory, maximumByteCount, overflow);
        _cursor = new Cursor(Path.Combine(directory, "cursor"));
        TryOpen();
    }

    /// <summary>Why the last message is not on the disk, or what else ails that; null if nothing does.</summary>
    public string? Problem { get; private set; }

    public long QueuedCount { get { lock (_gate) return _queued + _unwritten.Count; } }
    public long DroppedCount { get { lock (_gate) return _cursor.DroppedCount; } }
    public long ByteCount { get { lock (_gate) return _segments.Sum(segment => segment.ByteCount); } }

    /// <summary>Completes when there is something to deliver.</summary>
    public Task Arrived { get { lock (_gate) return _arrived.Task; } }

    private long LargestByteCount => Math.Min(Segment.MaximumPayloadByteCount, _maximumByteCount - Segment.HeaderByteCount);

    private long SegmentByteCount => Math.Clamp(_maximumByteCount / 16, 4096, 1024 * 1024);

    /// <summary>Adds a message. A full or broken disk costs telemetry, which is counted, and keeps outcomes in memory.</summary>
    public void Append(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (_overflow == Overflow.Keep)
            {
                _unwritten.Enqueue(payload.ToArray());
                WriteKept();
            }
            else
            {
                AppendBounded(payload);
            }

            _arrived.TrySetResult();
        }
    }

    /// <summary>The oldest message that was not acknowledged, without removing it.</summary>
    public QueuedMessage? Peek()
    {
        lock (_gate)
        {
            if (_unwritten.Count > 0) WriteKept();
            else TryOpen();
            if (ReadNext() is { } message) return message;
            if (_unwritten.TryPeek(out var kept)) return new QueuedMessage(kept, 0, 0);
            if (_arrived.Task.IsCompleted) _arrived = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return null;
        }
    }

    /// <summary>The broker has it. A message that was dropped meanwhile is ignored.</summary>
    public void Acknowledge(QueuedMessage message)
    {
        lock (_gate)
        {
            if (message.Segment == 0)
            {
                if (_unwritten.TryPeek(out var kept) && ReferenceEquals(kept, message.Payload)) _unwritten.Dequeue();
                return;
            }

            if (_cursor.Segment != message.Segment || _cursor.Offset != message.Offset) return;
            _cursor.MoveTo(message.Segment, message.Offset + Segment.HeaderByteCount + message.Payload.Length);
            _queued--;
            if (_queued == 0 && _segments.Count == 1 && _segments[0].ByteCount >= SegmentByteCount) RemoveFirst();
            else Attempt(_cursor.Save);
        }
    }

    /// <summary>Counts a message that the broker will never take, and goes on.</summary>
    public void Discard(QueuedMessage message)
    {
        lock (_gate)
        {
            // What was dropped meanwhile is counted already.
            if (_cursor.Segment == message.Segment && _cursor.Offset == message.Offset) _cursor.Drop(1);
            Acknowledge(message);
        }
    }

    /// <param name="fits">Looks at a payload.</param>
    /// <param name="alsoAcknowledged">Also those that the broker has, as long as their segment is there.</param>
    public bool Any(Func<byte[], bool> fits, bool alsoAcknowledged = false)
    {
        lock (_gate)
        {
            if (_unwritten.Any(fits)) return true;
            foreach (var segment in _segments)
            {
                var from = _cursor.Segment == segment.Number && !alsoAcknowledged ? _cursor.Offset : 0;
                for (var at = segment.Next(from); at is { } start; at = segment.Next(start + 1))
                    if (segment.Read(start) is { } payload && fits(payload)) return true;
            }

            return false;
        }
    }

    /// <summary>Makes what is there survive a power cut.</summary>
    public void Sync()
    {
        lock (_gate)
        {
            if (_segments.Count > 0) Attempt(_segments[^1].Sync);
        }
    }

    /// <summary>May be called twice: a container that knows a service under two types disposes it twice.</summary>
    public void Dispose()
    {
        Sync();
        lock (_gate)
        {
            foreach (var segment in _segments) segment.Dispose();
            _segments.Clear();
            _cursor.Dispose();
        }
    }

    private bool TryOpen()
    {
        if (_isOpen) return true;
        try
        {
            Directory.CreateDirectory(_directory);
            _cursor.Open();
            Recover();
            (_isOpen, Problem) = (true, null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            foreach (var segment in _segments) segment.Dispose();
            _segments.Clear();
            _cursor.Dispose();
            Problem = ProblemOf(e);
        }

        return _isOpen;
    }

    private string ProblemOf(Exception e) => $"The outbox {_directory} cannot be written ({e.Message}); see that its file system has room and takes writes.";

    private void Recover()
    {
        foreach (var (number, path) in Segment.Find(_directory))
        {
            _nextNumber = number + 1;
            if (number < _cursor.Segment) File.Delete(path);
            else _segments.Add(Segment.Open(path, number));
        }

        if (_segments.Count == 0)
        {
            _nextNumber = Math.Max(_nextNumber, _cursor.Segment + 1);
            return;
        }

        if (_cursor.Segment != _segments[0].Number || _cursor.Offset > _segments[0].ByteCount) _cursor.MoveTo(_segments[0].Number, 0);
        _queued = _segments.Sum(segment => segment.RecordCount) - _segments[0].CountBefore(_cursor.Offset);
        if (_queued > 0) _arrived.TrySetResult();
    }

    /// <summary>From the first segment that has one; what cannot be read is passed over and counted.</summary>
    private QueuedMessage? ReadNext()
    {
        var dropped = _cursor.DroppedCount;
        QueuedMessage? message = null;
        while (message is null && _segments.Count > 0)
        {
            var segment = _segments[0];
            if (segment.Next(_cursor.Offset) is { } start) message = ReadAt(segment, start);
            else if (_segments.Count > 1) RemoveFirst();
            else break;
        }

        if (_cursor.DroppedCount == dropped) return message;
        Attempt(_cursor.Save);
        Problem = $"The outbox {_directory} has lost messages that cannot be read any longer ({_cursor.DroppedCount - dropped} by count); see whether its disk fails.";
        return message;
    }

    private QueuedMessage? ReadAt(Segment segment, long start)
    {
        // How many lay in a gap that was there when the segment was opened, nobody knows.
        if (start > _cursor.Offset) _cursor.Drop(1);
        _cursor.MoveTo(segment.Number, start);
        if (segment.Read(start) is { } payload) return new QueuedMessage(payload, segment.Number, start);
        _cursor.Drop(1);
        _queued--;
        _cursor.MoveTo(segment.Number, segment.Next(start + 1) ?? segment.ByteCount);
        return null;
    }

    /// <summary>The oldest gives way where room is short; on a disk that fails otherwise that would cost what can still be delivered.</summary>
    private void AppendBounded(ReadOnlySpan<byte> payload)
    {
        var fits = payload.Length <= LargestByteCount;
        while (fits && _segments.Count > 0 && _segments.Sum(s => s.ByteCount) + Segment.HeaderByteCount + payload.Length > _maximumByteCount) DropOldest();
        var isWritten = TryWrite(payload, out var isFull);
        if (isFull && _segments.Count > 0)
        {
            DropOldest();
            isWritten = TryWrite(payload, out _);
        }

        if (!isWritten) Drop(1);
    }

    private void WriteKept()
    {
        while (_unwritten.TryPeek(out var kept) && TryWrite(kept, out _)) _unwritten.Dequeue();
    }

    private bool TryWrite(ReadOnlySpan<byte> payload, out bool isFull)
    {
        isFull = false;
        if (payload.Length > LargestByteCount)
        {
            Problem = $"A message is larger than the {LargestByteCount} bytes that the outbox {_directory} takes; "
                + "raise Mqtt:OutboxByteCount where it is under 1 MiB, or give the model fewer or shorter labels.";
            return false;
        }

        if (!TryOpen()) return false;
        try
        {
            var durably = _overflow == Overflow.Keep;
            if (_segments.Count == 0 || _segments[^1].ByteCount >= SegmentByteCount) AddSegment(durably);
            _segments[^1].Append(payload, durably);
            _queued++;
            Problem = null;
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problem = ProblemOf(e);
            isFull = e.HResult is NoSpace or QuotaExceeded;
            return false;
        }
    }

    private void AddSegment(bool durably)
    {
        if (_segments.Count > 0) _segments[^1].Sync();
        // The name of one that cannot be made stands in the problem, which is to stay the same.
        var segment = Segment.Create(_directory, _nextNumber);
        _nextNumber++;
        _segments.Add(segment);
        if (_segments.Count == 1) _cursor.MoveTo(segment.Number, 0);
        if (durably) DurableDirectory.Sync(_directory);
    }

    /// <summary>Removes the oldest segment and counts what nobody has of it, without reading it: it may be unreadable.</summary>
    private long DropOldest()
    {
        var lost = _queued - _segments.Skip(1).Sum(segment => segment.RecordCount);
        _queued -= lost;
        _cursor.Drop(lost);
        RemoveFirst();
        return lost;
    }

    private void Drop(long count)
    {
        _cursor.Drop(count);
        if (_isOpen) Attempt(_cursor.Save);
    }

    private void RemoveFirst()
    {
        var segment = _segments[0];
        _segments.RemoveAt(0);
        _cursor.MoveTo(_segments.Count > 0 ? _segments[0].Number : segment.Number + 1, 0);
        Attempt(_cursor.Save);
        Attempt(segment.Delete);
    }

    private void Attempt(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Problem = ProblemOf(e);
        }
    }
}
