using Dunlin.Contracts.Worker;

namespace Dunlin.Agent.Children;

/// <summary>
/// How a heat process ended: with the answer that was asked for, or with the reason why there is none. A crash, a hang or
/// too much memory is such a reason and not an exception: it is what untrusted models do.
/// </summary>
public sealed record HeatOutcome
{
    /// <summary>Null if there is none; then <see cref="Code"/> and <see cref="Reason"/> say why.</summary>
    public FromChild? Answer { get; init; }

    /// <summary><c>ok</c>, a code of <see cref="ChildExitCodes"/>, or the code that the child gave (<c>model.load</c>).</summary>
    public required string Code { get; init; }

    /// <summary>The same in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>The child said hello with this; null if it did not come so far.</summary>
    public Ready? Ready { get; init; }

    /// <summary>CPU time that the process used.</summary>
    public TimeSpan CpuTime { get; init; }

    /// <summary>Its largest resident set, in bytes.</summary>
    public long PeakByteCount { get; init; }

    public const string Answered = "ok";
}

/// <summary>What a heat may use.</summary>
public sealed record HeatLimits
{
    private static readonly TimeSpan LeastCpuTime = TimeSpan.FromSeconds(30);
    private readonly TimeSpan? _cpuTime;

    /// <summary>From start to answer.</summary>
    public TimeSpan WallTime { get; init; } = TimeSpan.FromSeconds(8);

    /// <summary>CPU time of all its threads; rounded up to seconds. By default what one thread has until the answer, and at least 30 s.</summary>
    public TimeSpan CpuTime
    {
        get => _cpuTime ?? (WallTime > LeastCpuTime ? WallTime : LeastCpuTime);
        init => _cpuTime = value;
    }

    /// <summary>Private writable memory.</summary>
    public long MemoryByteCount { get; init; } = 1024L * 1024 * 1024;

    /// <summary>Bytes of one file that it writes.</summary>
    public long FileByteCount { get; init; } = 512L * 1024 * 1024;
}
