using Dunlin.Agent.Children;
using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates;

/// <summary>
/// Looks after the start whether the installed release has lost bytes on the disk, and again until it is whole: beside the loop
/// that asks, since to hash a large release may take longer than the loop.
/// </summary>
internal sealed class ReleaseInspection(ReleaseStore releases, TimeProvider time)
{
    private readonly Backoff _backoff = new(TimeSpan.FromMinutes(1), TimeSpan.FromHours(1), calm: TimeSpan.MaxValue);
    private Task<(Digest Release, StoredRelease Stored)>? _look;
    private long _dueAt;
    private bool _isOver;

    /// <summary>Null if nothing is looked at now.</summary>
    public Task? UnderWay => _look is { IsCompleted: false } look ? look : null;

    /// <summary>Begins to look; the release and its damage once they are known, until <see cref="LookAgain"/>.</summary>
    public (Digest Release, StoredRelease Stored)? FindDamage()
    {
        if (_isOver || UnderWay is not null || time.GetTimestamp() < _dueAt) return null;
        if (_look is null)
        {
            if (releases.Active is { } installed) _look = Task.Run(() => (installed, releases.Open(installed)));
            else _isOver = true;
            return null;
        }

        var damage = _look.GetAwaiter().GetResult();
        _isOver = damage.Stored.IsComplete || damage.Release != releases.Active;
        return _isOver ? null : damage;
    }

    /// <summary>What could be done about the damage is begun; whether it helped is seen later, each time later than the last.</summary>
    public void LookAgain()
    {
        _look = null;
        _dueAt = time.GetTimestamp() + (long)(_backoff.Next(TimeSpan.Zero).TotalSeconds * time.TimestampFrequency);
    }
}
