using Dunlin.Contracts.Manifests;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Frames;
using Dunlin.Runtime.Preprocessing;
using Dunlin.Runtime.Sessions;

namespace Dunlin.Runtime.Pipeline;

/// <summary>
/// The frame loop: slot → preprocess → inference → observer, one frame in flight per stage. Where there are cores the
/// next frame is preprocessed on a second thread while this one is inferred. Nothing spins, and steady state allocates nothing.
/// </summary>
public sealed class FramePipeline : IDisposable
{
    private readonly NewestFrameSlot _slot;
    private readonly JobExchange _jobs;
    private readonly IFrameObserver _observer;
    private readonly TimeProvider _time;
    private readonly ClassScore[] _best;
    private readonly long _tickNanoseconds;
    private readonly long? _deadlineNanoseconds;
    private long _stale, _late, _corrupt, _nonFinite, _classified, _inferenceAllocated, _preprocessAllocated;
    private int _refusals;
    private TaskCompletionSource<FrameBuffer>? _copyWanted;

    /// <summary>
    /// The session stays the caller's; <paramref name="input"/> is that of its manifest. The timestamps of
    /// <paramref name="time"/> must be those of the frames: CLOCK_MONOTONIC.
    /// </summary>
    public FramePipeline(
        NewestFrameSlot slot, ModelSession session, InputSpec input, LoopSpec loop, IFrameObserver observer, TimeProvider? time = null)
    {
        _slot = slot;
        _observer = observer;
        _time = time ?? TimeProvider.System;
        _tickNanoseconds = 1_000_000_000 / _time.TimestampFrequency;
        _best = new ClassScore[loop.TopCount];
        _deadlineNanoseconds = loop.DeadlineMilliseconds is { } milliseconds ? (long)(milliseconds * 1e6) : null;
        Overlapped = loop.Overlap && Environment.ProcessorCount > 1;
        _jobs = new JobExchange(new Serving(session, input, Stages));
    }

    /// <summary>Whether preprocessing runs on a thread of its own.</summary>
    public bool Overlapped { get; }

    /// <summary>A snapshot; safe from any thread.</summary>
    public PipelineCounts Counts => new(
        _slot.CapturedCount, _slot.DroppedCount, Volatile.Read(ref _stale), Volatile.Read(ref _late), Volatile.Read(ref _corrupt), Volatile.Read(ref _nonFinite),
        Volatile.Read(ref _classified), Volatile.Read(ref _inferenceAllocated) + Volatile.Read(ref _preprocessAllocated));

    /// <summary>Why frames were corrupt since the last call, each reason once; safe from any thread.</summary>
    public IReadOnlyList<FrameStatus> TakeRefusals()
    {
        var seen = Interlocked.Exchange(ref _refusals, 0);
        return seen == 0 ? [] : [.. Enum.GetValues<FrameStatus>().Where(status => (seen & BitOf(status)) != 0)];
    }

    /// <summary>A copy of the next frame that is classified; waits until one comes. From any thread.</summary>
    public Task<FrameBuffer> CopyNextFrameAsync()
    {
        var wanted = new TaskCompletionSource<FrameBuffer>(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _copyWanted, wanted, null) ?? wanted).Task;
    }

    private int Stages => Overlapped ? 2 : 1;

    /// <summary>
    /// Runs the loop on the calling thread until the slot is completed and empty, or until cancelled; then returns. Once only.
    /// </summary>
    /// <exception cref="Microsoft.ML.OnnxRuntime.OnnxRuntimeException">The model failed on a frame; the loop has ended.</exception>
    public void Run(CancellationToken cancellationToken)
    {
        try
        {
            if (Overlapped) RunOverlapped(cancellationToken);
            else RunSequential(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>
    /// Changes over to another session between two frames and waits until no frame is with the old one, which the
    /// caller may then dispose. Works while the loop runs, waits for frames, or has ended; from any thread but the loop's.
    /// </summary>
    public ModelSession Swap(ModelSession session, InputSpec input) => _jobs.Swap(new Serving(session, input, Stages));

    /// <summary>Call after <see cref="Run"/> has returned.</summary>
    public void Dispose() => _jobs.Dispose();

    private void RunSequential(CancellationToken cancellationToken)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        while (Preprocess(cancellationToken, out var job))
        {
            if (job is not null) Infer(job);
            Volatile.Write(ref _inferenceAllocated, GC.GetAllocatedBytesForCurrentThread() - before);
        }
    }

    private void RunOverlapped(CancellationToken cancellationToken)
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var wake = stop.Token.UnsafeRegister(static self => ((JobExchange)self!).Stop(), _jobs);
        var thread = new Thread(() => RunPreprocessing(stop.Token)) { IsBackground = true, Name = "preprocess" };
        thread.Start();
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            while (_jobs.TakeReady() is { } job)
            {
                Infer(job);
                Volatile.Write(ref _inferenceAllocated, GC.GetAllocatedBytesForCurrentThread() - before);
            }
        }
        finally
        {
            stop.Cancel();
            thread.Join();
            if (_jobs.TakeReady() is { } left) _jobs.Return(left);
        }

        if (_jobs.Failure is { } failure) throw new InvalidOperationException("Preprocessing failed; the frame loop has ended.", failure);
    }

    private void RunPreprocessing(CancellationToken cancellationToken)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            while (Preprocess(cancellationToken, out var job))
            {
                if (job is not null && !_jobs.HandOver(job)) break;
                Volatile.Write(ref _preprocessAllocated, GC.GetAllocatedBytesForCurrentThread() - before);
            }

            _jobs.Stop();
        }
        catch (OperationCanceledException)
        {
            _jobs.Stop();
        }
        catch (Exception failure)
        {
            _jobs.Stop(failure);
        }
    }

    /// <summary>One frame from the slot; the job is null if the frame was stale or corrupt. False when no more come.</summary>
    private bool Preprocess(CancellationToken cancellationToken, out Job? job)
    {
        job = null;
        _jobs.WaitForInput();
        if (_slot.Take(cancellationToken) is not { } frame) return false;
        try
        {
            if (_jobs.Rent() is not { } rented) return false;
            var begin = Now();
            if (IsStale(frame.CapturedNanoseconds, begin))
            {
                Count(ref _stale);
                _jobs.Return(rented);
                return true;
            }

            if (rented.Serving.Preprocess(frame, rented) is var status and not FrameStatus.Ok)
            {
                Interlocked.Or(ref _refusals, BitOf(status));
                Count(ref _corrupt);
                _jobs.Return(rented);
                return true;
            }

            if (Volatile.Read(ref _copyWanted) is not null) Interlocked.Exchange(ref _copyWanted, null)?.SetResult(frame.Copy());
            rented.Number = frame.Number;
            rented.CapturedNanoseconds = frame.CapturedNanoseconds;
            rented.PreprocessNanoseconds = Now() - begin;
            job = rented;
            return true;
        }
        finally
        {
            _slot.Return(frame);
        }
    }

    private void Infer(Job job)
    {
        try
        {
            var begin = Now();
            if (Overlapped && IsStale(job.CapturedNanoseconds, begin))
            {
                Count(ref _stale);
                return;
            }

            var scores = job.Serving.Session.Run(job.Input);
            var inferred = Now();
            var count = TopScores.Select(scores, _best);
            if (count < 0)
            {
                Count(ref _nonFinite);
                return;
            }

            var end = Now();
            Count(ref _classified);
            if (IsStale(job.CapturedNanoseconds, end)) Count(ref _late);
            _observer.OnResult(new FrameOutcome
            {
                Number = job.Number,
                CapturedNanoseconds = job.CapturedNanoseconds,
                Contender = job.Serving.Session.Contender,
                Session = job.Serving.Session.Number,
                WaitNanoseconds = begin - job.CapturedNanoseconds - job.PreprocessNanoseconds,
                PreprocessNanoseconds = job.PreprocessNanoseconds,
                InferenceNanoseconds = inferred - begin,
                PostprocessNanoseconds = end - inferred,
                TotalNanoseconds = end - job.CapturedNanoseconds,
                Scores = _best.AsSpan(0, count),
            });
        }
        finally
        {
            _jobs.Return(job);
        }
    }

    private bool IsStale(long capturedNanoseconds, long now) => _deadlineNanoseconds is { } deadline && now - capturedNanoseconds > deadline;

    private long Now() => _time.GetTimestamp() * _tickNanoseconds;

    private static int BitOf(FrameStatus status) => 1 << (int)status;

    private static void Count(ref long counter) => Volatile.Write(ref counter, counter + 1);
}
