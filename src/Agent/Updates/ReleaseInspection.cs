using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Artifacts;

namespace Dunlin.Agent.Updates;

/// <summary>
/// One look after the start whether the installed release has lost bytes on the disk: beside the loop that asks, since to hash
/// a large release may take longer than the loop.
/// </summary>
internal sealed class ReleaseInspection(ReleaseStore releases)
{
    private Task<(Digest Release, StoredRelease Stored)>? _look;
    private bool _isOver;

    /// <summary>Null if nothing is looked at now.</summary>
    public Task? UnderWay => _look is { IsCompleted: false } look ? look : null;

    /// <summary>Begins to look; the release and its damage once they are known, until <see cref="End"/>.</summary>
    public (Digest Release, StoredRelease Stored)? FindDamage()
    {
        if (_isOver || UnderWay is not null) return null;
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

    /// <summary>The damage is mended, or cannot be.</summary>
    public void End() => _isOver = true;
}
