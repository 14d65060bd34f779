using Dunlin.Contracts.Race;

namespace Dunlin.Runtime.Racing;

/// <summary>Something that can be run and timed: a session, or a synthetic one in tests.</summary>
public interface IContender
{
    ContenderId Id { get; }

    /// <summary>Rank among equals: the smaller is kept in a tie (the incumbent, then the more accurate, then the smaller).</summary>
    int Preference { get; }

    /// <summary>Runs once. An exception means that the contender has failed; it is not run again.</summary>
    RunSample Measure();
}

/// <summary>What one run took.</summary>
/// <param name="LatencyNanoseconds">Wall time.</param>
/// <param name="CpuNanoseconds">CPU time of all threads of the process.</param>
public readonly record struct RunSample(double LatencyNanoseconds, double CpuNanoseconds);
