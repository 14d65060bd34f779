using System.Diagnostics;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>One worker process from start to end: what it was told, what it said, and whether that can be true.</summary>
internal sealed class WorkerLife(Load load, WorkerLimits limits, WorkerEvents events, TimeProvider time)
{
    /// <summary>Far above any camera; a worker that sends more wants to keep the supervisor busy.</summary>
    private const int MessagesPerSecond = 20_000;

    public static readonly TimeSpan WatchPeriod = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private readonly CameraFolder _folder = new(load.Camera);
    private readonly Standstill _standstill = new(time, WatchPeriod);
    private ChildProcess? _child;
    private TaskCompletionSource<SwapOutcome>? _swap;
    private TaskCompletionSource<FrameSnapshot?>? _snapshot;
    private SessionSpec _session = load.Session;
    private SessionSpec? _former;
    private SessionSpec? _next;
    private int _number;
    private bool _ready;
    private TimeSpan _silence = limits.HeartbeatTimeout;
    private long _heard = time.GetTimestamp();
    private long _secondStart = time.GetTimestamp();
    private int _inSecond;

    public int? ProcessId => _child?.Id;

    /// <summary>Private memory that it may use.</summary>
    public long MemoryByteCount => limits.MemoryByteCount;

    /// <summary>It has loaded its session.</summary>
    public bool Served { get; private set; }

    public ChildError? LoadError { get; private set; }

    public void Begin(ChildProcess child)
    {
        _child = child;
        child.Send(new Hello { Protocol = Hello.CurrentProtocol });
        child.Send(load);
    }

    public void Tell(ToChild message) => _child?.Send(message);

    public void SetWindow(TimeSpan length) => Tell(new SetWindow { WindowMilliseconds = (int)length.TotalMilliseconds });

    public void End(string reason) => _child?.Kill(ChildExitCodes.Stopped, reason);

    /// <summary>Called each <see cref="WatchPeriod"/>; kills a worker that has been silent too long, or whose camera folder has come since.</summary>
    public void Watch()
    {
        if (_standstill.Look() is > 0 and var standstill)
            Volatile.Write(ref _heard, Math.Min(time.GetTimestamp(), Volatile.Read(ref _heard) + standstill));
        if (_folder.IsOutOfReach) _child?.Kill(ChildExitCodes.Stopped, $"the folder '{load.Camera.Source}' has come or was made anew since, and a sandbox reaches only what was there at its start");
        var limit = Served ? _silence : limits.LoadTimeout;
        var silent = time.GetElapsedTime(Volatile.Read(ref _heard));
        if (silent <= limit) return;
        _child?.Kill(ChildExitCodes.Hung, Served
            ? $"no heartbeat for {silent.TotalSeconds:0.0} s"
            : $"its session was not up within {limit.TotalSeconds:0.#} s");
    }

    public async Task<SwapOutcome> SwapAsync(SessionSpec session, WorkerLimits needed, CancellationToken cancellationToken)
    {
        TaskCompletionSource<SwapOutcome> swap;
        lock (_gate)
        {
            if (_swap is not null) return new SwapOutcome(null, "swap.busy", "Another swap is under way; wait for its end.");
            _swap = swap = new TaskCompletionSource<SwapOutcome>(TaskCreationOptions.RunContinuationsAsynchronously);
            _next = session = session with { Number = ++_number };
            _silence = TimeSpan.FromTicks(Math.Max(_silence.Ticks, needed.HeartbeatTimeout.Ticks));
        }

        var used = CpuTime();
        if (_child?.Send(new Swap { Session = session }) != true) EndSwapWith(SwapOutcome.Absent, "The worker ended before the swap; assign the session instead.");
        try
        {
            return await Patience.WaitAsync(swap.Task, needed.LoadTimeout, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // With all that still serves: who had so little was not at the loading either.
            var code = ChildExitCodes.IsStarved(CpuTime() - used, needed.LoadTimeout) ? ChildExitCodes.Starved : ChildExitCodes.TimedOut;
            _child?.Kill(code, $"the session of '{session.Contender}' was not up within {needed.LoadTimeout.TotalSeconds:0.#} s of a swap");
            return new SwapOutcome(null, code, $"The session of '{session.Contender}' was not up within {needed.LoadTimeout.TotalSeconds:0.#} s.");
        }
    }

    /// <summary>Of all its threads so far; zero where it has ended.</summary>
    private TimeSpan CpuTime()
    {
        try
        {
            if (_child?.Id is not { } id) return TimeSpan.Zero;
            using var process = Process.GetProcessById(id);
            return process.TotalProcessorTime;
        }
        catch (Exception e) when (e is ArgumentException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return TimeSpan.Zero;
        }
    }

    /// <summary>The next frame, or one that was asked for before; null if the worker ends before it.</summary>
    /// <exception cref="TimeoutException">No frame came in time.</exception>
    public Task<FrameSnapshot?> SnapshotAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        var wanted = new TaskCompletionSource<FrameSnapshot?>(TaskCreationOptions.RunContinuationsAsynchronously);
        if (Interlocked.CompareExchange(ref _snapshot, wanted, null) is { } earlier) wanted = earlier;
        else if (_child?.Send(new TakeSnapshot()) != true) EndSnapshotWith(null);
        return wanted.Task.WaitAsync(patience, time, cancellationToken);
    }

    /// <summary>On the pipe's thread.</summary>
    public void Receive(FromChild message)
    {
        BoundRate();
        if (!_ready)
        {
            var ready = message as Ready ?? throw new MessageException($"Its first message is '{message.GetType().Name}', not its greeting.");
            ChildMessageRules.Check(ready);
            _ready = true;
            events.Ready?.Invoke(ready);
            return;
        }

        switch (message)
        {
            case FrameResult result when Served:
                var source = SessionOf(result.Session);
                ChildMessageRules.Check(result, source.ClassCount);
                events.Result?.Invoke(source, result);
                break;
            case FrameWindow window when Served:
                var counted = SessionOf(window.Session);
                ChildMessageRules.Check(window, counted.ClassCount);
                _folder.Observe(window.Camera);
                events.Window?.Invoke(counted, window);
                break;
            case Heartbeat when Served:
                Volatile.Write(ref _heard, time.GetTimestamp());
                break;
            case CameraState { Camera: var camera }:
                ChildMessageRules.Check(camera);
                _folder.Observe(camera);
                events.Camera?.Invoke(camera);
                break;
            case Loaded loaded:
                Take(loaded);
                break;
            case FrameSnapshot snapshot when Volatile.Read(ref _snapshot) is not null:
                ChildMessageRules.Check(snapshot);
                EndSnapshotWith(snapshot);
                break;
            case ChildError error:
                Take(error);
                break;
            default:
                throw new MessageException($"'{message.GetType().Name}' is not to be expected from a worker {(Served ? "that serves" : "before its session is up")}.");
        }
    }

    /// <summary>The process is gone: whoever waits for it waits no more.</summary>
    public void Ended(ChildExit exit)
    {
        EndSwapWith(exit.Code, $"The worker ended during the swap ({exit.Code}): {exit.Reason}");
        EndSnapshotWith(null);
    }

    /// <summary>Around a swap, results may still be of the session before it, and already of the one that has not said so yet.</summary>
    private SessionSpec SessionOf(int number)
    {
        lock (_gate)
        {
            return _session.Number == number ? _session
                : _next?.Number == number ? _next
                : _former?.Number == number ? _former
                : throw new MessageException($"It speaks of session {number}, which it does not have.");
        }
    }

    private void Take(Loaded loaded)
    {
        ChildMessageRules.Check(loaded);
        lock (_gate)
        {
            var expected = _next ?? _session;
            if ((Served && _next is null) || loaded.Contender != expected.Contender)
                throw new MessageException($"It says that '{loaded.Contender}' serves, which it was not asked for.");
            if (_session != expected) (_former, _session) = (_session, expected);
            Served = true;
            Volatile.Write(ref _heard, time.GetTimestamp());
            EndSwap(new SwapOutcome(loaded, HeatOutcome.Answered, $"'{loaded.Contender}' serves."));
        }

        events.Loaded?.Invoke(loaded);
    }

    private void Take(ChildError error)
    {
        ChildMessageRules.Check(error);
        lock (_gate)
        {
            if (!Served) LoadError = error;
            EndSwap(new SwapOutcome(null, error.Code, error.Detail));
        }
    }

    private void EndSnapshotWith(FrameSnapshot? snapshot) => Interlocked.Exchange(ref _snapshot, null)?.TrySetResult(snapshot);

    private void EndSwapWith(string code, string reason)
    {
        lock (_gate) EndSwap(new SwapOutcome(null, code, reason));
    }

    private void EndSwap(SwapOutcome outcome)
    {
        _next = null;
        _swap?.TrySetResult(outcome);
        _swap = null;
    }

    private void BoundRate()
    {
        if (++_inSecond < MessagesPerSecond) return;
        if (time.GetElapsedTime(_secondStart) < TimeSpan.FromSeconds(1))
            throw new MessageException($"It sent more than {MessagesPerSecond} messages in a second.");
        _secondStart = time.GetTimestamp();
        _inSecond = 0;
    }
}
