namespace Dunlin.Agent.Updates.Fetching;

/// <summary>What a source has earned so far in one fetch. The one with the least penalty is asked next, the directive's order breaks ties.</summary>
internal sealed class SourceStanding(IChunkSource source, int order)
{
    private const int HeavyPenalty = 4;
    private const int MaximumMisbehaviours = 2;
    private int _lasting;
    private int _passing;
    private int _slow;
    private int _misbehaved;

    public IChunkSource Source { get; } = source;

    public int Order { get; } = order;

    public int Penalty => _lasting + _passing;

    /// <summary>Why it is not asked again, null while it may be.</summary>
    public SourceEnd? Exclusion { get; private set; }

    /// <summary>A new blob: another one may be there.</summary>
    public void ForgetAbsence()
    {
        if (Exclusion?.Kind == SourceEndKind.NotFound) Exclusion = null;
    }

    /// <param name="end">How a request ended.</param>
    /// <param name="goodCount">Right chunks that it brought.</param>
    /// <param name="badCount">Wrong ones.</param>
    /// <param name="limits">How much is too much.</param>
    public void Judge(SourceEnd end, int goodCount, int badCount, FetchLimits limits)
    {
        _lasting += badCount;
        if (goodCount > 0) _passing = 0;
        switch (end.Kind)
        {
            case SourceEndKind.Complete:
                break;
            case SourceEndKind.Broken:
                _passing++;
                break;
            case SourceEndKind.TooSlow:
                _lasting += HeavyPenalty;
                if (++_slow >= limits.MaximumSlowAttempts) Exclusion = end;
                break;
            case SourceEndKind.BadContent or SourceEndKind.Misbehaved:
                _lasting += HeavyPenalty;
                if (++_misbehaved >= MaximumMisbehaviours) Exclusion = end;
                break;
            case SourceEndKind.NotFound or SourceEndKind.Unauthorized or SourceEndKind.HostNotAllowed:
                Exclusion = end;
                break;
            default:
                throw new InvalidOperationException($"{end.Kind} is no end of a request.");
        }
    }
}
