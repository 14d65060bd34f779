namespace Dunlin.Agent.Children;

/// <summary>How a child ended, and what it used.</summary>
public sealed record ChildExit
{
    /// <summary>One of <see cref="ChildExitCodes"/>.</summary>
    public required string Code { get; init; }

    /// <summary>The same in a sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>Null if a signal ended it.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Null if it exited.</summary>
    public int? Signal { get; init; }

    public TimeSpan CpuTime { get; init; }

    /// <summary>The largest resident set, in bytes.</summary>
    public long PeakByteCount { get; init; }
}

public static class ChildExitCodes
{
    /// <summary>Exit code 0, or killed because the supervisor was done with it.</summary>
    public const string Stopped = "child.stopped";

    /// <summary>Exited with another code.</summary>
    public const string Failed = "child.failed";

    /// <summary>A signal that nobody sent: a fault of its own.</summary>
    public const string Crashed = "child.crashed";

    /// <summary>Ran into its own limit of memory.</summary>
    public const string OutOfMemory = "child.out-of-memory";

    /// <summary>Killed by somebody else: the kernel, when the whole board was short of memory, or a person.</summary>
    public const string Killed = "child.killed";

    /// <summary>Used up its CPU seconds.</summary>
    public const string CpuLimit = "child.cpu-limit";

    /// <summary>Made a system call that its filter kills for.</summary>
    public const string Forbidden = "child.forbidden-call";

    /// <summary>Killed: no heartbeat.</summary>
    public const string Hung = "child.hung";

    /// <summary>Killed: over its wall time.</summary>
    public const string TimedOut = "child.timed-out";

    /// <summary>Killed: over its wall time, of which it had hardly any on a core: the board, or its disk, did other things.</summary>
    public const string Starved = "child.starved";

    /// <summary>Killed: its messages broke the protocol or could not be true.</summary>
    public const string Protocol = "child.protocol";

    /// <summary>Never ran.</summary>
    public const string NotStarted = "child.not-started";

    /// <summary>Who had less than this part of the time on a core waited for the disk or for others.</summary>
    private const int StarvedShare = 4;

    /// <summary>Whether a child that came too late is <see cref="Starved"/>, not <see cref="TimedOut"/>.</summary>
    public static bool IsStarved(TimeSpan onACore, TimeSpan allowed) => onACore < allowed / StarvedShare;
}
