namespace Dunlin.Telemetry.Link;

/// <summary>
/// Breaks a connection whose broker announces a packet that is larger than agreed on at CONNECT. MQTTnet 5.2 allocates
/// what a header claims, up to 256 MB a packet, whatever maximum packet size it has told the broker.
/// Source of the framing: MQTT 5.0, sections 1.5.5 and 2.1.
/// </summary>
internal sealed class PacketLimitStream(Stream inner, int maximumByteCount) : Stream
{
    private const int MaximumLengthBytes = 4;

    private bool _isInHeader = true;
    private int _lengthBytes = -1;
    private long _remaining;

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => true;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var count = await inner.ReadAsync(buffer, cancellationToken);
        Check(buffer.Span[..count]);
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(Span<byte> buffer)
    {
        var count = inner.Read(buffer);
        Check(buffer[..count]);
        return count;
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => inner.WriteAsync(buffer, cancellationToken);

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        inner.WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => inner.Write(buffer, offset, count);

    public override void Flush() => inner.Flush();

    public override Task FlushAsync(CancellationToken cancellationToken) => inner.FlushAsync(cancellationToken);

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        await inner.DisposeAsync();
        await base.DisposeAsync();
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) inner.Dispose();
        base.Dispose(disposing);
    }

    /// <summary>Follows the headers through what was read: type, one to four bytes of length, and as many bytes as it says.</summary>
    private void Check(ReadOnlySpan<byte> read)
    {
        while (!read.IsEmpty)
        {
            if (!_isInHeader)
            {
                var body = (int)Math.Min(_remaining, read.Length);
                read = read[body..];
                _remaining -= body;
                _isInHeader = _remaining == 0;
                continue;
            }

            var value = read[0];
            read = read[1..];
            // The first byte of a header is the packet's type.
            if (_lengthBytes++ < 0) continue;
            _remaining |= (long)(value & 0x7f) << (7 * (_lengthBytes - 1));
            if (_remaining > maximumByteCount) throw new IOException($"The broker announces a packet of {_remaining} bytes or more; at most {maximumByteCount} were agreed on.");
            if (value > 0x7f)
            {
                if (_lengthBytes == MaximumLengthBytes) throw new IOException("The broker sends a packet length of more than four bytes.");
                continue;
            }

            _lengthBytes = -1;
            _isInHeader = _remaining == 0;
        }
    }
}
