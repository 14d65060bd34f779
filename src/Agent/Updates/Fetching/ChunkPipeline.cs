using System.Threading.Channels;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// Verifies and writes chunks while the next ones are read from the network: on two cores that nearly doubles the throughput of a fast
/// link. As many chunks are on their way as there are buffers, whatever the blob's size.
/// </summary>
internal sealed class ChunkPipeline
{
    private readonly Channel<byte[]> _free;
    private readonly Channel<(int Chunk, byte[] Buffer, int Length)> _filled;
    private readonly ChunkSink _sink;
    private readonly Task _writing;

    /// <param name="sink">Used by the writing side alone until <see cref="FinishAsync"/> has ended.</param>
    /// <param name="buffers">Of a chunk's size each.</param>
    public ChunkPipeline(ChunkSink sink, byte[][] buffers)
    {
        _sink = sink;
        _free = Channel.CreateBounded<byte[]>(buffers.Length);
        _filled = Channel.CreateBounded<(int, byte[], int)>(buffers.Length);
        foreach (var buffer in buffers) _free.Writer.TryWrite(buffer);
        _writing = Task.Run(WriteAsync);
    }

    /// <summary>A buffer to fill; null if no more chunks are wanted.</summary>
    public async ValueTask<byte[]?> NextBufferAsync(CancellationToken cancellationToken)
    {
        if (_sink.IsEnough) return null;
        return await _free.Reader.WaitToReadAsync(cancellationToken) && _free.Reader.TryRead(out var buffer) ? buffer : null;
    }

    public void Hand(int chunk, byte[] buffer, int length) => _filled.Writer.TryWrite((chunk, buffer, length));

    /// <summary>Waits until everything handed over is verified and written.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public Task FinishAsync()
    {
        _filled.Writer.TryComplete();
        return _writing;
    }

    private async Task WriteAsync()
    {
        try
        {
            await foreach (var (chunk, buffer, length) in _filled.Reader.ReadAllAsync())
            {
                if (_sink.IsEnough) return;
                _sink.Take(chunk, buffer.AsSpan(0, length));
                _free.Writer.TryWrite(buffer);
            }
        }
        finally
        {
            _free.Writer.TryComplete();
        }
    }
}
