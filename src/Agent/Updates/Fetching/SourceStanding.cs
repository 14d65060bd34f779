namespace Dunlin.Agent.Updates.Fetching;

/// <summary>What a source has earned so far in one fetch. The one with the least penalty is asked next, the directive's order breaks ties.</summary>
internal sealed class SourceStanding(IChunkSource source, int order)
{
    private const int HeavyPenalty = 4;
    private const int MaximumMisbehaviours = 2;
    private int _lasting;
    private int _passing;
    private int _misbehaved;

    public IChunkSource Source { get; } = source;

    public int Order { get; } = order;

    public int Penalty => _lasting + _passing;

    /// <summary>Why its last request did not bring all that was asked for; null if it did.</summary>
    public SourceEnd? LastFailure { get; private set; }

    /// <summary>It is not asked again: what its last request ended with does not pass.</summary>
    public bool IsExcluded { get; private set; }

    /// <summary>A new blob: another one may be there.</summary>
    public void ForgetAbsence()
    {
        if (LastFailure?.Kind == SourceEndKind.NotFound) (IsExcluded, LastFailure) = (false, null);
    }

    /// <param name="end">How a request ended.</param>
    /// <param name="goodCount">Right chunks that it brought.</param>
    /// <param name="badCount">Wrong ones.</param>
    public void Judge(SourceEnd end, int goodCount, int badCount)
    {
        _lasting += badCount;
        if (goodCount > 0) (_passing, _misbehaved) = (0, 0);
        switch (end.Kind)
        {
            case SourceEndKind.Complete:
                LastFailure = null;
                return;
            case SourceEndKind.Broken:
                _passing++;
                break;
            case SourceEndKind.TooSlow:
                // A link that stands still may move again: the others come first, and patience ends what stays so.
                _lasting += HeavyPenalty;
                break;
            case SourceEndKind.BadContent or SourceEndKind.Misbehaved:
                _lasting += HeavyPenalty;
                IsExcluded = ++_misbehaved >= MaximumMisbehaviours;
                break;
            case SourceEndKind.NotFound or SourceEndKind.Unauthorized or SourceEndKind.HostNotAllowed:
                IsExcluded = true;
                break;
            default:
                throw new InvalidOperationException($"{end.Kind} is no end of a request.");
        }

        LastFailure = end;
    }
}
