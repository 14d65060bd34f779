using System.Threading.Channels;
using Dunlin.Bundles.Store;

namespace Dunlin.Agent.Updates.Fetching;

/// <summary>
/// Judges chunks while the next ones are read from the network, and writes and hashes the whole beside both: where one thread read and
/// judged, it bounded a fetch over a fast link, however quick the disk. As many chunks are on their way as there are places, whatever the
/// blob's size.
/// </summary>
internal sealed class ChunkPipeline
{
    // Of a request, judged before more is read: a source of nonsense must be noticed after a few.
    private const int ProbationLength = 32;

    private readonly Channel<int> _free;
    private readonly Channel<(int Chunk, int Place, int Length)> _read, _judged;
    private readonly ChunkBuffers _buffers;
    private readonly ChunkSink _sink;
    private readonly Task _working;
    private int _handed;

    /// <param name="sink">Nobody else judges or stores with it until <see cref="FinishAsync"/> has ended.</param>
    /// <param name="buffers">Nobody else's until then.</param>
    public ChunkPipeline(ChunkSink sink, ChunkBuffers buffers)
    {
        (_sink, _buffers) = (sink, buffers);
        _free = Channel.CreateBounded<int>(buffers.Count);
        _read = Channel.CreateBounded<(int, int, int)>(buffers.Count);
        _judged = Channel.CreateBounded<(int, int, int)>(buffers.Count);
        for (var place = 0; place < buffers.Count; place++) _free.Writer.TryWrite(place);
        _working = Task.WhenAll(Task.Run(JudgeAsync), Task.Run(WriteAsync));
    }

    /// <summary>A place to fill; null if the disk has failed.</summary>
    public async ValueTask<int?> NextPlaceAsync(CancellationToken cancellationToken) =>
        await _free.Reader.WaitToReadAsync(cancellationToken) && _free.Reader.TryRead(out var place) ? place : null;

    /// <summary>A chunk as it came.</summary>
    public void Hand(int chunk, int place, int length)
    {
        if (_handed++ < ProbationLength) Judge(chunk, place, length);
        else _read.Writer.TryWrite((chunk, place, length));
    }

    /// <summary>Waits until everything handed over is judged, and what is right and was not there is written.</summary>
    /// <exception cref="IOException">The disk failed.</exception>
    public Task FinishAsync()
    {
        _read.Writer.TryComplete();
        return _working;
    }

    private async Task JudgeAsync()
    {
        try
        {
            await foreach (var (chunk, place, length) in _read.Reader.ReadAllAsync()) Judge(chunk, place, length);
        }
        finally
        {
            _judged.Writer.TryComplete();
        }
    }

    private void Judge(int chunk, int place, int length)
    {
        if (!_sink.Has(chunk) && _sink.Judge(chunk, _buffers.At(place, length).Span)) _judged.Writer.TryWrite((chunk, place, length));
        else _free.Writer.TryWrite(place);
    }

    /// <summary>A run is hashed while the disk writes it and the one before: a disk that gets one request at a time is half idle.</summary>
    private async Task WriteAsync()
    {
        (Run Run, Task Writing)? before = null;
        try
        {
            while (await _judged.Reader.WaitToReadAsync())
            {
                while (NextRun() is { } run)
                {
                    var writing = _sink.BeginStore(run.Chunk, run.Count, _buffers.At(run.Place, run.Length));
                    var last = before;
                    before = (run, writing);
                    if (last is not var (earlier, written)) continue;
                    await written;
                    End(earlier);
                }

                if (before is not var (only, pending)) continue;
                await pending;
                End(only);
                before = null;
            }
        }
        finally
        {
            // The places are another's after this.
            if (before is { } left) await left.Writing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _free.Writer.TryComplete();
        }
    }

    private void End(Run run)
    {
        _sink.EndStore(run.Chunk, run.Count);
        for (var i = 0; i < run.Count; i++) _free.Writer.TryWrite(run.Place + i);
    }

    /// <summary>The chunks that wait and follow each other, in the file and in memory.</summary>
    private Run? NextRun()
    {
        if (!_judged.Reader.TryRead(out var first)) return null;
        var (count, length) = (1, first.Length);
        while (_judged.Reader.TryPeek(out var next) && next.Chunk == first.Chunk + count && next.Place == first.Place + count && _judged.Reader.TryRead(out next))
        {
            count++;
            length += next.Length;
        }

        return new Run(first.Chunk, first.Place, count, length);
    }

    private readonly record struct Run(int Chunk, int Place, int Count, int Length);
}
