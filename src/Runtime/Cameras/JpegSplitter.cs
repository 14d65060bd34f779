namespace Dunlin.Runtime.Cameras;

/// <summary>
/// Cuts a stream of concatenated JPEG images into images by walking their markers (ITU-T T.81, annex B), so that an image
/// inside an APP segment is no frame, and finds the next image after garbage or a frame that breaks off. The images found
/// depend on the bytes only, not on how they were chunked. Not thread-safe; allocates only while its buffer grows.
/// </summary>
internal sealed class JpegSplitter
{
    /// <summary>Bytes; what is longer is corrupt.</summary>
    public const int DefaultLargestFrame = 16 << 20;

    private readonly int _largestFrame;
    private readonly ArrivalTimes _arrivals = new();
    private readonly JpegWalker _walker = new();
    private byte[] _buffer = new byte[256 << 10];
    private int _start;
    private int _end;
    private long _startOffset;
    private bool _inFrame;

    public JpegSplitter(int largestFrame = DefaultLargestFrame) => _largestFrame = largestFrame;

    /// <summary>Frames that began and broke off, were malformed or too large.</summary>
    public long CorruptCount { get; private set; }

    /// <summary>Bytes outside of frames.</summary>
    public long SkippedByteCount { get; private set; }

    /// <summary>Free memory to read the stream into; ends the validity of spans from <see cref="TryTake"/>.</summary>
    public Span<byte> GetSpan(int atLeast)
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_buffer.Length - _end < atLeast) Array.Resize(ref _buffer, Math.Max(_buffer.Length * 2, _end + atLeast));
        return _buffer.AsSpan(_end);
    }

    /// <summary>So many bytes were read into the span, at this time.</summary>
    public void Advance(int count, long nanoseconds)
    {
        _arrivals.Add(_startOffset + (_end - _start), nanoseconds);
        _end += count;
    }

    /// <summary>The next whole image, in the splitter's own memory.</summary>
    /// <param name="image">Valid until the next <see cref="GetSpan"/>.</param>
    /// <param name="capturedNanoseconds">When its first byte arrived.</param>
    public bool TryTake(out ReadOnlySpan<byte> image, out long capturedNanoseconds)
    {
        while (_inFrame || FindImage())
        {
            var buffered = Math.Min(_end - _start, _largestFrame);
            var step = _walker.Walk(_buffer.AsSpan(_start, buffered));
            if (step == JpegStep.Complete)
            {
                image = _buffer.AsSpan(_start, _walker.Position);
                capturedNanoseconds = _arrivals.At(_startOffset);
                MoveTo(_walker.Position);
                return true;
            }

            if (step == JpegStep.Broken) GiveUp(_walker.ResumeAt);
            else if (buffered == _largestFrame) GiveUp(_largestFrame);
            else break;
        }

        image = default;
        capturedNanoseconds = 0;
        return false;
    }

    /// <summary>The stream ended or begins anew: an unfinished frame is corrupt.</summary>
    public void Reset()
    {
        if (_inFrame) CorruptCount++;
        MoveTo(_end - _start);
    }

    private bool FindImage()
    {
        ReadOnlySpan<byte> soi = [0xFF, 0xD8, 0xFF];
        var rest = _buffer.AsSpan(_start, _end - _start);
        var found = rest.IndexOf(soi);
        // The last two bytes may be the beginning of an image.
        var skipped = found >= 0 ? found : rest.Length - (rest is [.., 0xFF, 0xD8] ? 2 : rest is [.., 0xFF] ? 1 : 0);
        SkippedByteCount += skipped;
        MoveTo(skipped);
        if (found < 0) return false;
        _inFrame = true;
        _walker.Restart();
        return true;
    }

    private void GiveUp(int resumeAt)
    {
        CorruptCount++;
        MoveTo(resumeAt);
    }

    private void MoveTo(int position)
    {
        _start += position;
        _startOffset += position;
        _inFrame = false;
        _arrivals.ForgetBefore(_startOffset);
    }
}
