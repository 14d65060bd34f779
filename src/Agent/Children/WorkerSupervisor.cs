using System.ComponentModel;
using Dunlin.Agent.Sandboxing;
using Dunlin.Contracts.Worker;
using Microsoft.Extensions.Logging;

namespace Dunlin.Agent.Children;

/// <summary>
/// Keeps one worker process running: starts it, loads its session, watches its heartbeat and its words, says why it ended,
/// and starts it again with back-off and the session that served last.
/// </summary>
public sealed partial class WorkerSupervisor(ChildHost host, WorkerLimits limits, WorkerEvents events, ILogger<WorkerSupervisor> logger, TimeProvider time)
{
    private readonly Backoff _backoff = new(limits.FirstRestartDelay, limits.LongestRestartDelay, limits.CalmTime);
    private readonly Lock _gate = new();
    private TaskCompletionSource _reassigned = new();
    private WorkerAssignment? _assignment;
    private bool _isNew;
    private WorkerLife? _life;
    private TimeSpan? _window;

    /// <summary>The running worker, or null between two.</summary>
    public int? ProcessId
    {
        get { lock (_gate) return _life?.ProcessId; }
    }

    /// <summary>Runs workers until cancelled; then the last one is stopped and gone. An assignment that was made by <see cref="Assign"/> before takes precedence. May be called again after it has returned.</summary>
    public async Task RunAsync(WorkerAssignment assignment, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_assignment is null) (_assignment, _isNew) = (assignment, true);
        }

        while (!cancellationToken.IsCancellationRequested)
        {
            WorkerAssignment next;
            bool isNew;
            Task reassigned;
            lock (_gate)
            {
                (next, isNew, _isNew) = (_assignment!, _isNew, false);
                _reassigned = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                reassigned = _reassigned.Task;
            }

            try
            {
                await LiveAndWaitAsync(next, isNew, reassigned, cancellationToken);
            }
            catch (OperationCanceledException) when (reassigned.IsCompleted || cancellationToken.IsCancellationRequested)
            {
                // Stopping is no error, nor is another assignment.
            }

            // That does not wait for what the one before it has failed at.
            if (reassigned.IsCompleted) _backoff.Reset();
        }
    }

    private async Task LiveAndWaitAsync(WorkerAssignment assignment, bool isNew, Task reassigned, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var (next, problem) = isNew ? (assignment, null) : await RenewAsync(assignment, reassigned, cancellationToken);
        var (exit, life) = next is not null ? await LiveAsync(next, cancellationToken) : (new ChildExit { Code = ChildExitCodes.NotStarted, Reason = problem! }, null);
        var isStopped = cancellationToken.IsCancellationRequested;
        if (!isStopped) events.Exited?.Invoke(new WorkerExit(exit, life?.Served ?? false, life?.LoadError));
        // After it is told, so that nobody takes this end for one of the session that comes next.
        life?.Ended(exit);
        if (isStopped) return;
        // Whom we have stopped has not failed.
        if (exit is { Code: ChildExitCodes.Stopped, Signal: not null }) _backoff.Reset();
        var delay = reassigned.IsCompleted ? TimeSpan.Zero : _backoff.Next(time.GetElapsedTime(started));
        LogWorkerEnded(exit.Reason, delay.TotalMilliseconds);
        try
        {
            await reassigned.WaitAsync(delay, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The next one is due.
        }
    }

    /// <returns>The assignment, with its session as it is to be loaded now; null, and why, if it cannot be.</returns>
    private async Task<(WorkerAssignment? Assignment, string? Problem)> RenewAsync(WorkerAssignment assignment, Task reassigned, CancellationToken cancellationToken)
    {
        if (assignment.Renew is not { } renew) return (assignment, null);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var renewal = renew(assignment.Load.Session, enough.Token);
        if (await Task.WhenAny(renewal, reassigned) == reassigned) await enough.CancelAsync();
        var (session, problem) = await renewal;
        if (session is null) return (null, problem);
        lock (_gate)
        {
            if (ReferenceEquals(_assignment, assignment)) _assignment = assignment with { Load = assignment.Load with { Session = session } };
            return (_assignment, null);
        }
    }

    /// <summary>Changes over to another session without losing a frame. The old one serves on if this fails; a session that never comes up costs the process, which then starts again with the old one.</summary>
    /// <param name="session">Stands beside the old one until it is up.</param>
    /// <param name="needs">Of that session. Where the process has no room for both, nothing is changed; assign the session instead.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task<SwapOutcome> SwapAsync(SessionSpec session, SessionNeeds needs, CancellationToken cancellationToken)
    {
        WorkerLife? life;
        SessionNeeds served;
        lock (_gate) (life, served) = (_life, _assignment?.Needs ?? default);
        if (life is null || !life.Served) return new SwapOutcome(null, SwapOutcome.Absent, "The worker serves no session just now; assign the session instead.");
        if (limits.ProcessByteCount + served.MemoryByteCount + needs.MemoryByteCount > life.MemoryByteCount)
            return new SwapOutcome(null, SwapOutcome.NoRoom, $"The worker may use {life.MemoryByteCount} bytes, too few for the session of '{session.Contender}' beside the one that serves; assign the session instead.");
        var outcome = await life.SwapAsync(session, LimitsOf(needs), cancellationToken);
        if (outcome.Loaded is null) return outcome;
        lock (_gate) _assignment = _assignment! with { Load = _assignment.Load with { Session = session }, Needs = needs };
        return outcome;
    }

    /// <summary>Windows of this length from now on, of this worker and of those after it.</summary>
    public void SetWindow(TimeSpan length)
    {
        WorkerLife? life;
        lock (_gate)
        {
            if (_window == length) return;
            (_window, life) = (length, _life);
        }

        life?.SetWindow(length);
    }

    /// <summary>The next frame, as the worker sees it.</summary>
    /// <param name="patience">How long to wait for one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>Null, and why, if there is none.</returns>
    public async Task<(FrameSnapshot? Snapshot, string? Problem)> SnapshotAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        WorkerLife? life;
        lock (_gate) life = _life;
        if (life is null || !life.Served) return (null, "No worker serves just now; reported.problems and reported.workerRestartReason say why.");
        try
        {
            var snapshot = await life.SnapshotAsync(patience, cancellationToken);
            return snapshot is null ? (null, "The worker ended before it sent a frame; ask again.")
                : snapshot.Problem is { } problem ? (null, problem) : (snapshot, null);
        }
        catch (TimeoutException)
        {
            return (null, $"No frame was classified within {patience.TotalSeconds:0.#} s; reported.camera says how the camera is.");
        }
    }

    /// <summary>Gives the worker another assignment, by a new process: for another camera, or for a session when none serves.</summary>
    public void Assign(WorkerAssignment assignment)
    {
        lock (_gate)
        {
            (_assignment, _isNew) = (assignment, true);
            _life?.End("it got another assignment");
            _reassigned.TrySetResult();
        }
    }

    private async Task<(ChildExit Exit, WorkerLife? Life)> LiveAsync(WorkerAssignment assignment, CancellationToken cancellationToken)
    {
        var life = new WorkerLife(assignment.Load, LimitsOf(assignment.Needs), events, time);
        ChildProcess child;
        try
        {
            child = await ChildProcess.StartAsync(host.Worker(Rules(assignment), assignment.CameraPipe), life.Receive, logger, time);
        }
        catch (Win32Exception e)
        {
            return (new ChildExit { Code = ChildExitCodes.NotStarted, Reason = e.Message }, null);
        }

        await using (child)
        {
            LogWorkerStarted(child.Id);
            life.Begin(child);
            lock (_gate)
            {
                _life = life;
                // An assignment may have come while the process started.
                if (_assignment != assignment) life.End("it got another assignment");
                if (_window is { } length) life.SetWindow(length);
            }

            await using var watch = time.CreateTimer(_ => life.Watch(), null, WorkerLife.WatchPeriod, WorkerLife.WatchPeriod);
            try
            {
                await child.Exited.WaitAsync(cancellationToken);
            }
            catch (OperationCanceledException)
            {
                life.Tell(new StopChild());
                await Task.WhenAny(child.Exited, Task.Delay(limits.StopTimeout, time, CancellationToken.None));
            }

            lock (_gate) _life = null;
            await child.DisposeAsync();
            return (await child.Exited, life);
        }
    }

    internal SandboxRules Rules(WorkerAssignment assignment)
    {
        var camera = assignment.Load.Camera;
        return new SandboxRules
        {
            Read =
            [
                .. HeatRunner.Models(assignment.Load.Session),
                .. assignment.Read,
                .. camera.Kind == CameraKind.Folder && Path.Exists(camera.Source) ? new[] { camera.Source } : [],
            ],
            // The folder, since a camera that is plugged in again is another file of the same name; who may open what there, users and groups say.
            Devices = camera.Kind == CameraKind.V4l2 ? ["/dev"] : [],
            DataByteCount = LimitsOf(assignment.Needs).MemoryByteCount,
        };
    }

    // Twice the memory, so that another session of its size can be made beside it.
    private WorkerLimits LimitsOf(SessionNeeds needs) => limits with
    {
        MemoryByteCount = Math.Max(limits.MemoryByteCount, limits.ProcessByteCount + 2 * needs.MemoryByteCount),
        HeartbeatTimeout = needs.RunTime > limits.HeartbeatTimeout ? needs.RunTime : limits.HeartbeatTimeout,
        LoadTimeout = needs.LoadTime > limits.LoadTimeout ? needs.LoadTime : limits.LoadTimeout,
    };

    [LoggerMessage(Level = LogLevel.Information, Message = "Worker {ProcessId} started")]
    private partial void LogWorkerStarted(int? processId);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Reason} The next worker starts in {DelayMilliseconds:0} ms")]
    private partial void LogWorkerEnded(string reason, double delayMilliseconds);
}
