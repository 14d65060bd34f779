using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Serving;

/// <summary>What others may ask of who serves; from any thread.</summary>
internal sealed partial class ServingService
{
    public const string NothingServes = "Nothing serves on this board; reported.problems says why.";

    private static readonly TimeSpan FramePatience = TimeSpan.FromSeconds(10);

    private volatile bool _sharesCores;

    /// <summary>Null while nothing serves.</summary>
    public Seating? Seated => _seated;

    /// <summary>The next frame; null, and why, if there is none.</summary>
    public async Task<(FrameSnapshot? Snapshot, string? Problem)> SnapshotAsync(CancellationToken cancellationToken) =>
        _seated is not null && _seat is { } seat ? await seat.SnapshotAsync(FramePatience, cancellationToken)
        : (null, NothingServes);

    /// <summary>Does one thing that takes a core beside who serves: in no trial, beside no race, and broken off by a switch, which may begin a trial.</summary>
    /// <returns>Null if it may not be done now, or was broken off.</returns>
    public async Task<T?> BesideAsync<T>(Func<CancellationToken, Task<T>> work, CancellationToken cancellationToken)
        where T : class
    {
        using var interruptible = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _interrupt.Token);
        // A trial begins before its switch is asked for, which breaks off what saw none here.
        if (_parts.Trial.IsUnderWay) return null;
        try
        {
            return await _parts.Race.InTurnAsync(() => SharingAsync(work(interruptible.Token)), interruptible.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<T> SharingAsync<T>(Task<T> work)
    {
        _sharesCores = true;
        try
        {
            return await work;
        }
        finally
        {
            _sharesCores = false;
        }
    }
}
