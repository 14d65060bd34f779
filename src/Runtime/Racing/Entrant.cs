using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>A contender in a race, with what it has shown so far.</summary>
internal sealed class Entrant(IContender contender)
{
    // A visit of a fast model is long enough that the clock and one interrupt do not matter.
    private const double VisitNanoseconds = 1e6;
    private const int MaximumRunsPerVisit = 32;

    private readonly List<double> _latencies = [];
    private readonly List<double> _visit = [];
    private readonly List<RunSample> _round = [];
    private readonly List<(double Score, RunSample[] Runs)> _throttled = [];
    private Tail? _tail;
    private int _runsPerVisit = 1;
    private double _roundScore;
    private double _cpuNanoseconds;

    public ContenderId Id => contender.Id;

    /// <summary>Logarithm of the objective, one per round that counted.</summary>
    public List<double> Scores { get; } = [];

    public int RunCount => _latencies.Count;

    /// <summary>Nanoseconds of all runs that counted.</summary>
    public double RunNanoseconds { get; private set; }

    public int ThrottledRunCount { get; private set; }
    public ContenderOutcome? Outcome { get; private set; }
    public string ReasonCode { get; private set; } = "";
    public string Reason { get; private set; } = "";
    public bool IsRacing => Outcome is null;
    public double? CpuMilliseconds => RunCount == 0 ? null : _cpuNanoseconds / RunCount / 1e6;

    /// <summary>Over the runs that counted; null without any.</summary>
    public Tail? Tail => RunCount == 0 ? null : _tail?.Count == RunCount ? _tail : _tail = new Tail(_latencies);

    /// <summary>Runs that do not count; the last one says how many runs make a visit.</summary>
    public void WarmUp(int runs)
    {
        RunSample last = default;
        for (var i = 0; i < runs; i++) last = contender.Measure();
        _runsPerVisit = (int)Math.Clamp(Math.Ceiling(VisitNanoseconds / Math.Max(last.LatencyNanoseconds, 1)), 1, MaximumRunsPerVisit);
    }

    /// <summary>Adds one of the round's two visits: the median of its runs.</summary>
    public void Visit(Objective objective)
    {
        _visit.Clear();
        for (var i = 0; i < _runsPerVisit; i++)
        {
            var sample = contender.Measure();
            _round.Add(sample);
            _visit.Add(Score(objective, sample));
        }

        _visit.Sort();
        _roundScore += (_visit[(_visit.Count - 1) / 2] + _visit[_visit.Count / 2]) / 4;
    }

    /// <param name="whole">All made their visits; otherwise the round is forgotten.</param>
    /// <param name="throttled">It does not count, unless hardly any other does.</param>
    public void EndRound(bool whole, bool throttled)
    {
        if (throttled) ThrottledRunCount += _round.Count;
        if (whole && throttled) _throttled.Add((_roundScore, [.. _round]));
        else if (whole) Count(_roundScore, _round);
        _round.Clear();
        _roundScore = 0;
    }

    /// <summary>Lets the throttled rounds count after all.</summary>
    public void CountThrottled()
    {
        foreach (var (score, runs) in _throttled) Count(score, runs);
    }

    public void Leave(ContenderOutcome outcome, string code, string reason) => (Outcome, ReasonCode, Reason) = (outcome, code, reason);

    private void Count(double score, IReadOnlyList<RunSample> runs)
    {
        Scores.Add(score);
        foreach (var sample in runs)
        {
            _latencies.Add(sample.LatencyNanoseconds);
            RunNanoseconds += sample.LatencyNanoseconds;
            _cpuNanoseconds += sample.CpuNanoseconds;
        }
    }

    private static double Score(Objective objective, RunSample sample) => objective switch
    {
        Objective.Latency => Math.Log(Math.Max(sample.LatencyNanoseconds, 1)),
        Objective.Energy => Math.Log(Math.Max(sample.CpuNanoseconds, 1)),
        Objective.Product => Math.Log(Math.Max(sample.LatencyNanoseconds, 1)) + Math.Log(Math.Max(sample.CpuNanoseconds, 1)),
        _ => throw new ArgumentOutOfRangeException(nameof(objective), objective, "No such objective."),
    };
}
