using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Pipeline;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;
using Dunlin.Runtime.Tests.Frames;
using Dunlin.Runtime.Tests.Sessions;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Runtime.Tests.Pipeline;

public sealed class FramePipelineTests : IDisposable
{
    private static readonly byte[][] Colours = [Plain(230, 20, 20), Plain(20, 230, 20), Plain(20, 20, 230)];
    private readonly SessionSpecs _specs = new();
    private readonly NewestFrameSlot _slot = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void EachFrameIsClassifiedInOrderAndItsStagesAddUpToItsLatency(bool overlap)
    {
        var log = new ResultLog();
        var counts = Run(_specs.Write(OnnxModels.BrightestChannel(), classes: 3), overlap, log, 60, i => Colours[i % 3]);
        Assert.Equal((60, 60, 0), (counts.Classified, counts.Captured, counts.Dropped));
        for (var i = 0; i < 60; i++)
        {
            var entry = log.Entries[i];
            Assert.Equal((i, i % 3), (entry.Number, entry.Best));
            Assert.Equal(entry.TotalNanoseconds, entry.StagesNanoseconds);
            Assert.InRange(entry.WaitNanoseconds, 0, entry.TotalNanoseconds);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void SteadyStateAllocatesNothingOnAnyThreadOfTheLoop(bool overlap)
    {
        FramePipeline? pipeline = null;
        long warm = 0, end = 0;
        var log = new ResultLog(count =>
        {
            if (count == 100) warm = pipeline!.Counts.AllocatedByteCount;
            if (count == 400) end = pipeline!.Counts.AllocatedByteCount;
        });
        var spec = _specs.Write(OnnxModels.Tiny());
        var image = TestJpeg.Encode(640, 480);
        using var session = ModelSession.Create(spec);
        using (pipeline = Pipeline(session, spec, overlap, log))
        using (new LosslessCamera(_slot, 450, _ => image))
            pipeline.Run(TestContext.Current.CancellationToken);
        Assert.NotEqual(0, warm);
        Assert.Equal(0, end - warm);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ACopyOfTheNextGoodFrameIsGivenToWhoeverAskedAndTheLoopGoesOn(bool overlap)
    {
        var half = Colours[0][..(Colours[0].Length - 20)];
        var log = new ResultLog();
        var spec = _specs.Write(OnnxModels.BrightestChannel(), classes: 3);
        using var session = ModelSession.Create(spec);
        using var pipeline = Pipeline(session, spec, overlap, log);
        var (first, second) = (pipeline.CopyNextFrameAsync(), pipeline.CopyNextFrameAsync());
        using (new LosslessCamera(_slot, 30, i => i == 0 ? half : Colours[i % 3])) pipeline.Run(TestContext.Current.CancellationToken);
        var frame = await first.WaitAsync(TestContext.Current.CancellationToken);
        Assert.Same(frame, await second);
        Assert.Equal(1, frame.Number);
        Assert.Equal(Colours[1], frame.Content);
        Assert.NotEqual(0, frame.CapturedNanoseconds);
        Assert.Equal(29, pipeline.Counts.Classified);
        Assert.False(pipeline.CopyNextFrameAsync().IsCompleted);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void CorruptFramesAreCountedApartAndTheOthersGoOn(bool overlap)
    {
        var half = Colours[0][..(Colours[0].Length - 20)];
        var counts = Run(_specs.Write(OnnxModels.Tiny()), overlap, new ResultLog(), 30, i => i % 3 == 1 ? half : Colours[0]);
        Assert.Equal((20, 10, 0, 0), (counts.Classified, counts.Corrupt, counts.Stale, counts.Dropped));
    }

    [Fact]
    public void TheReasonsWhyFramesWereCorruptAreSaidOnceEach()
    {
        byte[][] frames = [Colours[0], Colours[0][..(Colours[0].Length - 20)], [], "no picture"u8.ToArray()];
        var spec = _specs.Write(OnnxModels.Tiny());
        using var session = ModelSession.Create(spec);
        using var pipeline = Pipeline(session, spec, overlap: true, new ResultLog());
        using (new LosslessCamera(_slot, 12, i => frames[i % frames.Length])) pipeline.Run(TestContext.Current.CancellationToken);
        Assert.Equal([FrameStatus.Empty, FrameStatus.NotJpeg, FrameStatus.Corrupt], pipeline.TakeRefusals());
        Assert.Empty(pipeline.TakeRefusals());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FramesOlderThanTheDeadlineAreStale(bool overlap)
    {
        var counts = Run(
            _specs.Write(OnnxModels.Tiny()), overlap, new ResultLog(), 20, _ => Colours[0],
            deadlineMilliseconds: 30_000, age: i => TimeSpan.FromSeconds(i % 2 == 0 ? 0 : 31));
        Assert.Equal((10, 10, 0), (counts.Classified, counts.Stale, counts.Corrupt));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void AResultThatIsOlderThanTheDeadlineIsHandedOnAndCountedAsLate(bool overlap)
    {
        var log = new ResultLog();
        var spec = _specs.Write(OnnxModels.Tiny());
        using var session = ModelSession.Create(spec);
        // By this clock the inference begins three seconds after the capture, and its result is there after five.
        var loop = new LoopSpec { WindowMilliseconds = 1000, Overlap = overlap, DeadlineMilliseconds = 4500 };
        using var pipeline = new FramePipeline(_slot, session, spec.Input, loop, log, new SteppingClock());
        var frame = _slot.Rent();
        Colours[0].CopyTo(frame.Resize(Colours[0].Length));
        frame.Format = PixelFormat.Jpeg;
        _slot.Publish(frame);
        _slot.Complete();
        pipeline.Run(TestContext.Current.CancellationToken);
        Assert.Equal((1, 1, 0, 1), (pipeline.Counts.Classified, pipeline.Counts.Late, pipeline.Counts.Stale, log.Count));
    }

    [Fact]
    public void ScoresThatAreNotNumbersAreCountedAndNotHandedOn()
    {
        var log = new ResultLog();
        var counts = Run(_specs.Write(OnnxModels.NotANumber()), false, log, 5, _ => Colours[0]);
        Assert.Equal((0, 5, 0), (counts.Classified, counts.NonFinite, log.Count));
    }

    [Fact]
    public void TheLatencyCountsFromTheCapture()
    {
        var log = new ResultLog();
        Run(_specs.Write(OnnxModels.Tiny()), true, log, 5, _ => Colours[0], age: _ => TimeSpan.FromSeconds(2));
        foreach (var entry in log.Entries) Assert.InRange(entry.TotalNanoseconds, 2_000_000_000, 20_000_000_000);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ASwapUnderLoadLosesNoFrameAndFreesTheOldSession(bool overlap)
    {
        var log = new ResultLog();
        var small = _specs.Write(OnnxModels.BrightestChannel(8), "small", classes: 3);
        var large = _specs.Write(OnnxModels.BrightestChannel(16), "large", side: 16, classes: 3);
        var session = ModelSession.Create(small);
        using var pipeline = Pipeline(session, small, overlap, log);
        using var go = new SemaphoreSlim(0);
        // The camera pauses at each hundredth frame until a swap was made while frames were in flight.
        using var camera = new LosslessCamera(_slot, 700, i =>
        {
            if (i > 0 && i % 100 == 0) go.Wait();
            return Colours[i % 3];
        });
        var running = Task.Run(() => pipeline.Run(CancellationToken.None), TestContext.Current.CancellationToken);
        for (var swap = 0; swap < 6; swap++)
        {
            var enough = swap * 100 + 50;
            await Eventually.TrueAsync(() => log.Count > enough, $"{enough} results");
            var next = swap % 2 == 0 ? large : small;
            var fresh = ModelSession.Create(next);
            pipeline.Swap(fresh, next.Input).Dispose();
            session = fresh;
            go.Release();
        }

        await running;
        session.Dispose();
        Assert.Equal(700, log.Count);
        var variants = new List<string>();
        for (var i = 0; i < log.Count; i++)
        {
            Assert.Equal((i, i % 3), (log.Entries[i].Number, log.Entries[i].Best));
            if (variants.Count == 0 || variants[^1] != log.Entries[i].Contender.Variant) variants.Add(log.Entries[i].Contender.Variant);
        }

        Assert.Equal(["small", "large", "small", "large", "small", "large", "small"], variants);
    }

    [Fact]
    public async Task ASwapNeedsNoFrameAndACancelledLoopReturns()
    {
        using var cancel = new CancellationTokenSource();
        var spec = _specs.Write(OnnxModels.Tiny());
        using var first = ModelSession.Create(spec);
        using var second = ModelSession.Create(spec);
        using var pipeline = Pipeline(first, spec, true, new ResultLog());
        var running = Task.Run(() => pipeline.Run(cancel.Token), TestContext.Current.CancellationToken);
        Assert.Same(first, pipeline.Swap(second, spec.Input));
        await cancel.CancelAsync();
        await running.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
    }

    [Fact]
    public void AFrameThatNobodyTookIsDroppedAndTheNewestIsServed()
    {
        for (var i = 0; i < 5; i++)
        {
            var frame = _slot.Rent();
            frame.Number = i;
            _slot.Publish(frame);
        }

        _slot.Complete();
        Assert.Equal(4, _slot.Take(TestContext.Current.CancellationToken)!.Number);
        Assert.Null(_slot.Take(TestContext.Current.CancellationToken));
        Assert.Equal((5, 4), (_slot.CapturedCount, _slot.DroppedCount));
    }

    public void Dispose()
    {
        _slot.Dispose();
        _specs.Dispose();
    }

    private static byte[] Plain(byte r, byte g, byte b) =>
        TestJpeg.Encode([.. Enumerable.Repeat(new[] { r, g, b }, 64 * 48).SelectMany(pixel => pixel)], 64, 48, TestJpeg.Sampling420);

    private FramePipeline Pipeline(ModelSession session, SessionSpec spec, bool overlap, ResultLog log, double? deadlineMilliseconds = null) => new(
        _slot, session, spec.Input,
        new LoopSpec { WindowMilliseconds = 1000, Overlap = overlap, DeadlineMilliseconds = deadlineMilliseconds, TopCount = 3 }, log);

    private PipelineCounts Run(
        SessionSpec spec, bool overlap, ResultLog log, int count, Func<int, byte[]> image, double? deadlineMilliseconds = null, Func<int, TimeSpan>? age = null)
    {
        using var session = ModelSession.Create(spec);
        using var pipeline = Pipeline(session, spec, overlap, log, deadlineMilliseconds);
        using var camera = new LosslessCamera(_slot, count, image, age);
        pipeline.Run(TestContext.Current.CancellationToken);
        return pipeline.Counts;
    }

    /// <summary>A second later each time that somebody looks at it.</summary>
    private sealed class SteppingClock : TimeProvider
    {
        private long _now;

        public override long GetTimestamp() => Interlocked.Add(ref _now, TimestampFrequency);
    }
}
