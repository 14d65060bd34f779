using Dunlin.Agent.Children;
using Dunlin.Agent.Configuration;
using Dunlin.Agent.Updates;
using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Serving;

/// <summary>The one worker and its camera: seats a first session, then changes sessions without losing a frame.</summary>
/// <param name="supervisor">Of the worker.</param>
/// <param name="camera">What it looks through.</param>
/// <param name="loop">How it tells.</param>
/// <param name="cacheRoot">Where the saved models are.</param>
/// <param name="renew">Asked before a worker starts again.</param>
/// <param name="stopping">Ends worker and camera.</param>
internal sealed class WorkerSeat(WorkerSupervisor supervisor, CameraFeed camera, LoopSpec loop, string cacheRoot, RenewSession? renew, CancellationToken stopping) : IAsyncDisposable
{
    private readonly TaskCompletionSource _fault = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Task? _worker;
    private Task? _camera;
    private CancellationTokenSource? _seat;

    /// <summary>Faults if the supervision of worker or camera does; else never ends.</summary>
    public Task Fault => _fault.Task;

    public static LoopSpec LoopOf(ResultOptions results, RaceOptions race, TelemetryOptions telemetry) => new()
    {
        TopCount = results.TopCount,
        ResultEvery = results.Every,
        DeadlineMilliseconds = race.DeadlineMilliseconds > 0 ? race.DeadlineMilliseconds : null,
        WindowMilliseconds = (int)(telemetry.WindowSeconds * 1000),
    };

    /// <inheritdoc cref="WorkerSupervisor.SetWindow"/>
    public void SetWindow(TimeSpan length) => supervisor.SetWindow(length);

    /// <inheritdoc cref="WorkerSupervisor.SnapshotAsync"/>
    public Task<(FrameSnapshot? Snapshot, string? Problem)> SnapshotAsync(TimeSpan patience, CancellationToken cancellationToken) => supervisor.SnapshotAsync(patience, cancellationToken);

    /// <returns>Why it does not serve; null if it does, or will when the worker is up.</returns>
    public async Task<UpdateFailure?> SeatAsync(SessionSpec session, SessionNeeds needs, CancellationToken cancellationToken)
    {
        if (_worker is null)
        {
            supervisor.Assign(AssignmentOf(session, needs));
            _seat = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            _worker = WatchAsync(supervisor.RunAsync(AssignmentOf(session, needs), _seat.Token));
            _camera ??= WatchAsync(camera.RunAsync(stopping));
            return null;
        }

        var swap = await supervisor.SwapAsync(session, needs, cancellationToken);
        if (swap.Loaded is not null) return null;
        // Who was stopped, or killed for want of memory, while two sessions stood side by side: the next worker has one.
        if (swap.Code is not (SwapOutcome.Absent or SwapOutcome.NoRoom or ChildExitCodes.Killed or ChildExitCodes.Stopped)) return new UpdateFailure(swap.Code, swap.Reason);
        supervisor.Assign(AssignmentOf(session, needs));
        return null;
    }

    /// <summary>Ends the worker: nothing serves until the next seat.</summary>
    public async Task UnseatAsync()
    {
        if (_worker is null || _seat is null) return;
        await _seat.CancelAsync();
        await _worker;
        _seat.Dispose();
        (_worker, _seat) = (null, null);
    }

    /// <summary>Call after the stopping token has been cancelled; waits for the processes to be gone.</summary>
    public async ValueTask DisposeAsync()
    {
        await Task.WhenAll(_worker ?? Task.CompletedTask, _camera ?? Task.CompletedTask);
        _seat?.Dispose();
        await camera.DisposeAsync();
    }

    private async Task WatchAsync(Task supervision)
    {
        try
        {
            await supervision;
        }
        catch (Exception e)
        {
            _fault.TrySetException(e);
            throw;
        }
    }

    private WorkerAssignment AssignmentOf(SessionSpec session, SessionNeeds needs) => new()
    {
        Load = new Load { Session = session, Camera = camera.Spec, Loop = loop },
        Needs = needs,
        Read = [cacheRoot],
        Renew = renew,
        CameraPipe = camera.Pipe,
    };
}
