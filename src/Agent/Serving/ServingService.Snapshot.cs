using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Serving;

/// <summary>What others may ask of who serves; from any thread.</summary>
internal sealed partial class ServingService
{
    private static readonly TimeSpan FramePatience = TimeSpan.FromSeconds(10);

    /// <summary>Null while nothing serves.</summary>
    public Seating? Seated => _seated;

    /// <summary>The next frame; null, and why, if there is none.</summary>
    public async Task<(FrameSnapshot? Snapshot, string? Problem)> SnapshotAsync(CancellationToken cancellationToken) =>
        _seated is not null && _seat is { } seat ? await seat.SnapshotAsync(FramePatience, cancellationToken)
        : (null, "Nothing serves on this board; reported.problems says why.");
}
