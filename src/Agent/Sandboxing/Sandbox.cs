using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;

namespace Dunlin.Agent.Sandboxing;

/// <summary>
/// Puts the calling process into its sandbox, before it has read anything that it was given. In two steps, since Landlock
/// holds for the calling thread and .NET has others already: the first restricts the main thread and executes the same
/// program again, which is then inside as a whole; the second adds the system call filter, on all threads.
/// </summary>
public static unsafe class Sandbox
{
    private const string InsideName = "--inside";
    private const int SetParentDeathSignal = 1, SetDumpable = 4, SetNoNewPrivileges = 38, RefuseExecGain = 65;
    private const int CpuLimit = 0, FileSizeLimit = 1, DataLimit = 2, CoreLimit = 4, ProcessLimit = 6, DescriptorLimit = 7;

    /// <summary>Threads that may come beside those of the whole machine: the kernel counts all of a user, whose desktop may have hundreds. It exempts root.</summary>
    private const ulong ThreadCount = 256;

    /// <summary>A build with a JIT holds some fifty for its assemblies.</summary>
    private const ulong DescriptorCount = 256;
    private const int OomScoreAdjustment = 500;

    /// <summary>At the soft limit the kernel sends SIGXCPU, which says what happened; SIGKILL at the hard one looks like a want of memory.</summary>
    private const ulong CpuGraceSeconds = 5;

    /// <summary>
    /// Call first in <c>Main</c> of a child. In the first step this does not return: the program starts again with a marker
    /// at the end of its arguments. In the second it returns the arguments without sandbox and marker, and what the kernel lacks.
    /// </summary>
    /// <param name="arguments">Those after the role's name: the rules, then the child's own.</param>
    /// <exception cref="IOException">The sandbox cannot be entered: a path of the rules is not there.</exception>
    public static Entered Enter(IReadOnlyList<string> arguments)
    {
        var rules = SandboxRules.FromArguments(arguments, out var used);
        if (arguments.Count < 2 || arguments[^2] != InsideName)
        {
            var missing = RestrictThisThread(rules);
            var (path, own) = OwnCommandLine();
            Execute(path, [.. own, InsideName, Encode(missing)]);
        }

        // Not sooner: the JIT's memory file, made when the runtime starts, is longer.
        Limit(FileSizeLimit, (ulong)rules.FileByteCount);
        var lacking = Decode(arguments[^1]);
        if (Seccomp.Enter() is { } noFilter) lacking.Add(noFilter);
        // Compiled ahead of time, nothing of ours ever writes code.
        if (RuntimePaths.IsCompiledAhead && Libc.Prctl(RefuseExecGain, 1, 0, 0, 0) < 0)
            lacking.Add($"PR_SET_MDWE is missing ({Libc.LastError()}): a child may make written memory executable; Linux 6.3 has it.");
        return new Entered([.. arguments.Skip(used).SkipLast(2)], lacking);
    }

    /// <summary>Restricts this process with the rules at the head of the arguments, and becomes the program that follows them. For camera programs; returns only by exception.</summary>
    public static void Become(IReadOnlyList<string> arguments)
    {
        var rules = SandboxRules.FromArguments(arguments, out var used) with { Foreign = true };
        if (used == arguments.Count) throw new FormatException("There is no program to start after the sandbox's arguments.");
        // What is missing, the supervisor says: this standard error is the program's.
        _ = RestrictThisThread(rules);
        Execute(arguments[used], [.. arguments.Skip(used)]);
    }

    /// <summary>For the supervisor: no other process of its user may trace it, read its memory or environment, and it leaves no core file.</summary>
    public static void ProtectSupervisor()
    {
        if (Libc.Prctl(SetDumpable, 0, 0, 0, 0) < 0) throw Failure("prctl(PR_SET_DUMPABLE)");
        Limit(CoreLimit, 0);
    }

    private static List<string> RestrictThisThread(SandboxRules rules)
    {
        var missing = new List<string>();
        if (Libc.Prctl(SetParentDeathSignal, Libc.SigKill, 0, 0, 0) < 0) throw Failure("prctl(PR_SET_PDEATHSIG)");
        if (Libc.Prctl(SetNoNewPrivileges, 1, 0, 0, 0) < 0) throw Failure("prctl(PR_SET_NO_NEW_PRIVS)");
        RaiseOomScore(missing);
        Limit(CoreLimit, 0);
        Limit(DescriptorLimit, rules.Foreign ? 1024 : DescriptorCount);
        if (!rules.Foreign) Limit(ProcessLimit, MachineThreadCount() + ThreadCount);
        if (rules.DataByteCount > 0) Limit(DataLimit, (ulong)rules.DataByteCount);
        if (rules.CpuSeconds > 0) Limit(CpuLimit, (ulong)rules.CpuSeconds, (ulong)rules.CpuSeconds + CpuGraceSeconds);
        DropCapabilities();
        missing.AddRange(Landlock.Enter(rules, RuntimePaths.Of(rules)));
        return missing;
    }

    /// <summary>The fourth field of <c>/proc/loadavg</c>: threads that run, and all there are.</summary>
    private static ulong MachineThreadCount() =>
        ulong.Parse(File.ReadAllText("/proc/loadavg").Split(' ')[3].Split('/')[1], CultureInfo.InvariantCulture);

    private static void RaiseOomScore(List<string> missing)
    {
        try
        {
            File.WriteAllText("/proc/self/oom_score_adj", OomScoreAdjustment.ToString(CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            missing.Add($"The OOM score cannot be raised ({e.Message}): when memory is short, the kernel may kill the supervisor first.");
        }
    }

    /// <summary>Matters only where the service runs as root, which its unit does not do.</summary>
    private static void DropCapabilities()
    {
        const uint version3 = 0x20080522;
        var header = stackalloc uint[2] { version3, 0 };
        var none = stackalloc uint[6];
        new Span<uint>(none, 6).Clear();
        var number = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 91 : 126;
        if (Libc.Syscall(number, (nint)header, (nint)none, 0, 0, 0) < 0) throw Failure("capset");
    }

    private static void Limit(int resource, ulong value) => Limit(resource, value, value);

    private static void Limit(int resource, ulong soft, ulong hard)
    {
        var softAndHard = stackalloc ulong[2] { soft, hard };
        if (Libc.SetResourceLimit(resource, softAndHard) < 0) throw Failure($"setrlimit({resource}, {soft}, {hard})");
    }

    private static (string Path, string[] Arguments) OwnCommandLine()
    {
        var path = Environment.ProcessPath ?? throw new IOException("The child does not know its own program file.");
        var arguments = File.ReadAllText("/proc/self/cmdline", Encoding.UTF8).Split('\0');
        return (path, arguments[..^1]);
    }

    private static void Execute(string path, IReadOnlyList<string> arguments)
    {
        var environment = Environment.GetEnvironmentVariables();
        var variables = new List<string>();
        foreach (System.Collections.DictionaryEntry variable in environment) variables.Add($"{variable.Key}={variable.Value}");
        using var argv = new NullTerminated(arguments);
        using var envp = new NullTerminated(variables);
        fixed (byte* program = NullTerminated.Path(path)) _ = Libc.Execute(program, argv.Pointers, envp.Pointers);
        throw Failure($"execve('{path}')");
    }

    private static string Encode(IEnumerable<string> sentences) => Convert.ToHexString(Encoding.UTF8.GetBytes(string.Join('\n', sentences)));

    private static List<string> Decode(string hex) =>
        [.. Encoding.UTF8.GetString(Convert.FromHexString(hex)).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    private static IOException Failure(string call) => new($"The sandbox cannot be entered: {call} failed: {Libc.LastError()}.");
}

/// <summary>Inside: the child's own arguments, and what the kernel lacks of the sandbox, each in a sentence.</summary>
public sealed record Entered(IReadOnlyList<string> Arguments, IReadOnlyList<string> Missing);
