namespace Dunlin.Runtime.Cameras;

/// <summary>
/// When the bytes of a stream arrived, by offset. Remembers 1,024 arrivals; while it is full, later bytes count as having
/// arrived with the last remembered ones, so that an age is overstated rather than understated.
/// </summary>
internal sealed class ArrivalTimes
{
    private readonly (long Offset, long Nanoseconds)[] _marks = new (long, long)[1024];
    private int _first;
    private int _count;

    public void Add(long offset, long nanoseconds)
    {
        if (_count < _marks.Length) this[_count++] = (offset, nanoseconds);
    }

    /// <summary>The arrival of the byte at this offset, which must not have been forgotten.</summary>
    public long At(long offset)
    {
        var (low, high) = (0, _count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (this[middle].Offset <= offset) low = middle;
            else high = middle - 1;
        }

        return this[low].Nanoseconds;
    }

    public void ForgetBefore(long offset)
    {
        while (_count > 1 && this[1].Offset <= offset)
        {
            _first = (_first + 1) % _marks.Length;
            _count--;
        }
    }

    private ref (long Offset, long Nanoseconds) this[int index] => ref _marks[(_first + index) % _marks.Length];
}
