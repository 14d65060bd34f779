using System.Collections.Concurrent;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Worker;
using Dunlin.Runtime.Pipeline;
using Dunlin.Telemetry.Latencies;

namespace Dunlin.Agent.Worker;

/// <summary>Collects what a window says of the frame loop. The inference thread records and allocates nothing; another thread takes windows.</summary>
internal sealed class WindowRecorder
{
    private const long NanosecondsPerMicrosecond = 1000;

    private readonly TimeProvider _time;
    private readonly LatencyRecorder _latency;
    private readonly FramePace? _pace;
    private readonly LatencyRecorder _wait = new(), _preprocess = new(), _inference = new(), _postprocess = new();
    private readonly long[] _confidence = new long[FrameWindow.ConfidenceBinCount];
    private readonly ConcurrentBag<long[]> _outgrown = [];
    private long[] _classes;
    private PipelineCounts _before;
    private TimeSpan _cpuBefore = Environment.CpuUsage.TotalTime;
    private long _started;

    /// <param name="classCount">Classes of the model.</param>
    /// <param name="frameInterval">How often frames are due until they have shown it; null where they come as fast as they are taken.</param>
    /// <param name="time">The monotonic clock.</param>
    public WindowRecorder(int classCount, TimeSpan? frameInterval, TimeProvider time)
    {
        _time = time;
        _latency = new LatencyRecorder(frameInterval);
        _pace = frameInterval is { } interval ? new FramePace(interval) : null;
        _classes = new long[classCount];
        _started = time.GetTimestamp();
    }

    /// <summary>Room for another model's classes; call before it serves.</summary>
    public void Fit(int classCount)
    {
        if (classCount <= _classes.Length) return;
        _outgrown.Add(_classes);
        Volatile.Write(ref _classes, new long[classCount]);
    }

    public void Record(in FrameOutcome outcome)
    {
        if (_pace is { } pace) _latency.Expect(pace.Observe(outcome.Number, outcome.CapturedNanoseconds));
        _latency.RecordMicroseconds(outcome.TotalNanoseconds / NanosecondsPerMicrosecond);
        _wait.RecordMicroseconds(outcome.WaitNanoseconds / NanosecondsPerMicrosecond);
        _preprocess.RecordMicroseconds(outcome.PreprocessNanoseconds / NanosecondsPerMicrosecond);
        _inference.RecordMicroseconds(outcome.InferenceNanoseconds / NanosecondsPerMicrosecond);
        _postprocess.RecordMicroseconds(outcome.PostprocessNanoseconds / NanosecondsPerMicrosecond);
        if (outcome.Scores.IsEmpty) return;
        var best = outcome.Scores[0];
        var classes = Volatile.Read(ref _classes);
        if (best.Index < classes.Length) Interlocked.Increment(ref classes[best.Index]);
        var bin = Math.Clamp((int)(best.Probability * FrameWindow.ConfidenceBinCount), 0, FrameWindow.ConfidenceBinCount - 1);
        Interlocked.Increment(ref _confidence[bin]);
    }

    /// <summary>What happened since the last window.</summary>
    public FrameWindow Take(PipelineCounts counts, IReadOnlyList<string> refusals, int session, CameraHealth camera)
    {
        var now = _time.GetTimestamp();
        var cpu = Environment.CpuUsage.TotalTime;
        var window = new FrameWindow
        {
            WindowSeconds = _time.GetElapsedTime(_started, now).TotalSeconds,
            Session = session,
            Frames = new FrameCounts
            {
                Captured = counts.Captured - _before.Captured,
                Classified = counts.Classified - _before.Classified,
                Dropped = counts.Dropped - _before.Dropped,
                Stale = counts.Stale - _before.Stale,
                Late = counts.Late - _before.Late,
                Corrupt = counts.Corrupt - _before.Corrupt,
            },
            Latency = _latency.TakeWindow().Histogram,
            Stages = new Dictionary<string, Histogram>
            {
                ["wait"] = _wait.TakeWindow().Histogram,
                ["preprocess"] = _preprocess.TakeWindow().Histogram,
                ["inference"] = _inference.TakeWindow().Histogram,
                ["postprocess"] = _postprocess.TakeWindow().Histogram,
            },
            Classes = TakeClasses(),
            Confidence = [.. Enumerable.Range(0, FrameWindow.ConfidenceBinCount).Select(bin => Interlocked.Exchange(ref _confidence[bin], 0))],
            Camera = camera,
            Refusals = refusals,
            NonFiniteCount = counts.NonFinite - _before.NonFinite,
            CpuSeconds = (cpu - _cpuBefore).TotalSeconds,
            AllocatedByteCount = counts.AllocatedByteCount - _before.AllocatedByteCount,
        };
        (_before, _cpuBefore, _started) = (counts, cpu, now);
        return window;
    }

    private Dictionary<int, long> TakeClasses()
    {
        var taken = new Dictionary<int, long>();
        foreach (var classes in (IEnumerable<long[]>)[.. _outgrown, Volatile.Read(ref _classes)])
            for (var i = 0; i < classes.Length; i++)
                if (Interlocked.Exchange(ref classes[i], 0) is > 0 and var count) taken[i] = taken.GetValueOrDefault(i) + count;
        return taken;
    }
}
