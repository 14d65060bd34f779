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
    /// <summary>Chunks of a request, judged one by one before more is read: a source of nonsense must be noticed after a few.</summary>
    private const int ProbationLength = 32;

    private readonly Channel<int> _free;
    private readonly Channel<ChunkRun> _read, _judged;
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
        _read = Channel.CreateBounded<ChunkRun>(buffers.Count);
        _judged = Channel.CreateBounded<ChunkRun>(buffers.Count);
        for (var place = 0; place < buffers.Count; place++) _free.Writer.TryWrite(place);
        _working = Task.WhenAll(Task.Run(JudgeAsync), Task.Run(WriteAsync));
    }

    private bool IsOnProbation => _handed < ProbationLength;

    /// <summary>Takes more places for a run that is being read, as far as they are free and follow; waits only for the first.</summary>
    /// <param name="run">With the places that it has.</param>
    /// <param name="most">Chunks that are still to come.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Without a place if the disk has failed.</returns>
    public async ValueTask<ChunkRun> ExtendAsync(ChunkRun run, int most, CancellationToken cancellationToken)
    {
        if (run.Count == 0 && await _free.Reader.WaitToReadAsync(cancellationToken) && _free.Reader.TryRead(out var place)) run = run with { Place = place, Count = 1 };
        // The rest shall be judged and written while these are read.
        most = IsOnProbation ? 1 : Math.Min(most, _buffers.Count / 4);
        while (run.Count > 0 && run.Count < most && _free.Reader.TryPeek(out var next) && next == run.Place + run.Count && _free.Reader.TryRead(out _)) run = run with { Count = run.Count + 1 };
        return run;
    }

    /// <summary>The memory of a run's places.</summary>
    public Memory<byte> MemoryOf(ChunkRun run) => _buffers.At(run.Place, _sink.LengthOf(run));

    /// <summary>Chunks as they came.</summary>
    public void Hand(ChunkRun run)
    {
        if (IsOnProbation) Judge(run);
        else _read.Writer.TryWrite(run);
        _handed += run.Count;
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
            await foreach (var run in _read.Reader.ReadAllAsync()) Judge(run);
        }
        finally
        {
            _judged.Writer.TryComplete();
        }
    }

    private void Judge(ChunkRun run)
    {
        var right = run.First(0);
        for (; run.Count > 0; run = run.After(1))
        {
            var chunk = run.First(1);
            if (!_sink.Has(chunk.Chunk) && _sink.Judge(chunk.Chunk, MemoryOf(chunk).Span))
            {
                right = right with { Count = right.Count + 1 };
                continue;
            }

            PassOn(right);
            _free.Writer.TryWrite(chunk.Place);
            right = run.After(1).First(0);
        }

        PassOn(right);
    }

    private void PassOn(ChunkRun run)
    {
        if (run.Count > 0) _judged.Writer.TryWrite(run);
    }

    /// <summary>A run is hashed while the disk writes it and the one before: a disk that gets one request at a time is half idle.</summary>
    private async Task WriteAsync()
    {
        (ChunkRun Run, Task Writing)? before = null;
        try
        {
            while (await _judged.Reader.WaitToReadAsync())
            {
                while (NextRun() is { } run)
                {
                    var writing = _sink.BeginStore(run, MemoryOf(run));
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

    private void End(ChunkRun run)
    {
        _sink.EndStore(run);
        for (var i = 0; i < run.Count; i++) _free.Writer.TryWrite(run.Place + i);
    }

    /// <summary>The chunks that wait and follow each other, in the file and in memory.</summary>
    private ChunkRun? NextRun()
    {
        if (!_judged.Reader.TryRead(out var run)) return null;
        while (_judged.Reader.TryPeek(out var next) && next.Chunk == run.Chunk + run.Count && next.Place == run.Place + run.Count && _judged.Reader.TryRead(out _))
            run = run with { Count = run.Count + next.Count };
        return run;
    }
}
