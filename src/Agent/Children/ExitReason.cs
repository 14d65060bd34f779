using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>Turns what waitid says into a code and a sentence.</summary>
internal static class ExitReason
{
    private const int Abort = 6, BusError = 7, Kill = Libc.SigKill, SegmentationFault = 11, IllegalInstruction = 4, FloatingPoint = 8;
    private const int Terminate = Libc.SigTerm, CpuLimit = 24, ForbiddenCall = 31;

    /// <summary>What .NET and the C++ runtime write before they abort for want of memory.</summary>
    private static readonly string[] MemoryWords = ["bad_alloc", "OutOfMemory", "Out of memory", "Failed to allocate", "insufficient memory"];

    public static ChildExit Of(string name, int? exitCode, int? signal, (string Code, string Reason)? killed, IReadOnlyList<string> lastLines)
    {
        var (code, reason) = (exitCode, signal, killed) switch
        {
            (_, not null, { } k) => (k.Code, $"The {name} was stopped: {Sentence(k.Reason)}"),
            (0, _, _) => (ChildExitCodes.Stopped, $"The {name} ended by itself."),
            (_, _, { Code: ChildExitCodes.Protocol } k) => (k.Code, $"The {name} was stopped: {Sentence(k.Reason)}"),
            (ChildExitStatus.OutOfMemory, _, _) => (ChildExitCodes.OutOfMemory, $"The {name} ran out of the memory that it is allowed."),
            ({ } status, _, _) => (ChildExitCodes.Failed, $"The {name} ended with exit code {status}{Words(lastLines)}."),
            (_, CpuLimit, _) => (ChildExitCodes.CpuLimit, $"The {name} used up the CPU time that it is allowed."),
            (_, ForbiddenCall, _) => (ChildExitCodes.Forbidden, $"The {name} made a system call that its sandbox kills for."),
            (_, Kill, _) => (ChildExitCodes.Killed, $"The {name} was killed by SIGKILL, which the supervisor did not send: by the kernel for want of memory (dmesg would say so), or by a person."),
            (_, Abort, _) when lastLines.Any(IsAboutMemory) => (ChildExitCodes.OutOfMemory, $"The {name} ran out of the memory that it is allowed{Words(lastLines)}."),
            (_, { } number, _) => (ChildExitCodes.Crashed, $"The {name} crashed with {SignalName(number)}{Words(lastLines)}."),
            _ => (ChildExitCodes.Failed, $"The {name} is gone; the kernel does not say how."),
        };
        return new ChildExit { Code = code, Reason = reason, ExitCode = exitCode, Signal = signal };
    }

    private static bool IsAboutMemory(string line) => MemoryWords.Any(word => line.Contains(word, StringComparison.OrdinalIgnoreCase));

    private static string Sentence(string reason) => reason.EndsWith('.') ? reason : reason + ".";

    private static string Words(IReadOnlyList<string> lastLines) => lastLines.Count == 0 ? "" : $", its last words being '{lastLines[^1]}'";

    private static string SignalName(int signal) => signal switch
    {
        Abort => "SIGABRT",
        BusError => "SIGBUS",
        SegmentationFault => "SIGSEGV (a wild access, or its stack overflowed)",
        IllegalInstruction => "SIGILL",
        FloatingPoint => "SIGFPE",
        Terminate => "SIGTERM",
        _ => $"signal {signal}",
    };
}

/// <summary>The exit codes of our own children.</summary>
internal static class ChildExitStatus
{
    public const int Failed = 1;

    /// <summary>The pipe to the supervisor broke, or what came through it was not of the protocol.</summary>
    public const int Protocol = 70;

    public const int OutOfMemory = 71;

    /// <summary>The sandbox could not be entered.</summary>
    public const int Sandbox = 72;
}
