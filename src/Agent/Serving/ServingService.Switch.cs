using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Dunlin.Agent.Children;
using Dunlin.Agent.Updates;
using Dunlin.Contracts.Race;

namespace Dunlin.Agent.Serving;

/// <summary>The live change to another release, which the updates ask for.</summary>
internal sealed partial class ServingService
{
    private readonly Channel<SwitchRequest> _switches = Channel.CreateUnbounded<SwitchRequest>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Lock _switching = new();
    private volatile CancellationTokenSource _interrupt = new();

    private static UpdateFailure? BrokenOff { get; } = new(ChildExitCodes.Stopped, "The switch was broken off.");

    /// <summary>
    /// Serves another release from the next frame on, by a session beside the old one; a race under way is broken off. If it
    /// cannot, the old one goes on.
    /// </summary>
    /// <param name="release">Null: nothing serves, until the device's own bundle opens.</param>
    /// <param name="verdict">Of its race; null: the cached one, or else a race while its first good variant serves.</param>
    /// <param name="cancellationToken">Ends the wait, not the switch.</param>
    /// <returns>Why it does not serve; null if it does.</returns>
    public async Task<UpdateFailure?> SwitchAsync(ServedRelease? release, Verdict? verdict, CancellationToken cancellationToken)
    {
        var request = new SwitchRequest(release, verdict, new TaskCompletionSource<UpdateFailure?>(TaskCreationOptions.RunContinuationsAsynchronously));
        CancellationTokenSource interrupt;
        // Not what follows the request's own entering: its race would be broken off.
        lock (_switching) (interrupt, _) = (_interrupt, _switches.Writer.TryWrite(request));
        await interrupt.CancelAsync();
        Wake();
        return await request.Done.Task.WaitAsync(cancellationToken);
    }

    private async Task<SwitchRequest?> WaitForSwitchAsync(TimeSpan atMost, CancellationToken cancellationToken)
    {
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var arrived = _switches.Reader.WaitToReadAsync(enough.Token).AsTask();
        await _tick.TickUntilAsync(Task.WhenAny(arrived, Task.Delay(atMost, _time, enough.Token)));
        await enough.CancelAsync();
        cancellationToken.ThrowIfCancellationRequested();
        return TryTake(out var request) ? request : null;
    }

    private bool TryTake([NotNullWhen(true)] out SwitchRequest? request)
    {
        lock (_switching)
        {
            if (!_switches.Reader.TryRead(out request)) return false;
            _interrupt = new CancellationTokenSource();
            return true;
        }
    }

    private async Task EnterAsync(SwitchRequest request, WorkerSeat seat, CancellationToken cancellationToken)
    {
        var problem = BrokenOff;
        try
        {
            problem = request.Release is { } release ? await EnterAsync(release, request.Verdict, seat, cancellationToken) : await LeaveAsync(seat);
        }
        finally
        {
            request.Done.TrySetResult(problem);
        }
    }

    private async Task<UpdateFailure?> EnterAsync(ServedRelease release, Verdict? verdict, WorkerSeat seat, CancellationToken cancellationToken)
    {
        seat.SetWindow(_parts.Trial.WindowLength);
        verdict ??= _parts.Verdicts.Find(ConditionsOf(release));
        if (verdict?.Winner is { } winner)
        {
            if (await TrySeatAsync(release, seat, winner, null, cancellationToken) is { } problem) return problem;
            SetRelease(release);
            SetVerdict(verdict);
            _report.SetProblem("bundle", null);
            _report.SetProblem("race", null);
            Adopt(verdict, incumbent: null);
            return null;
        }

        SetRelease(release);
        var failure = await RaceAsync(release, seat, null, cancellationToken);
        return _seated?.ReleaseId == release.Bundle.ReleaseId ? null : failure ?? BrokenOff;
    }

    private async Task<UpdateFailure?> LeaveAsync(WorkerSeat seat)
    {
        await _tick.TickUntilAsync(seat.UnseatAsync());
        (_release, _seated, _downshift) = (null, null, null);
        _report.SetRelease(null);
        _report.SetNothingRunning("No release may serve.");
        return null;
    }

    private sealed record SwitchRequest(ServedRelease? Release, Verdict? Verdict, TaskCompletionSource<UpdateFailure?> Done);
}
