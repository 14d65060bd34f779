using System.Runtime.InteropServices;

namespace Dunlin.Agent.Sandboxing;

/// <summary>
/// The system call filter of our children, in classic BPF: what they never need is refused with EPERM, another
/// architecture's calls end the process, and threads are allowed where processes are not.
/// </summary>
internal static unsafe class Seccomp
{
    private const uint ArchitectureX64 = 0xC000003E, ArchitectureArm64 = 0xC00000B7;
    private const uint Allow = 0x7FFF0000, KillProcess = 0x80000000, Errno = 0x00050000;
    private const ushort LoadWord = 0x20, JumpEqual = 0x15, JumpAtLeast = 0x35, JumpSet = 0x45, Return = 0x06;
    private const uint NumberOffset = 0, ArchitectureOffset = 4, FirstArgumentOffset = 16, SecondArgumentOffset = 24;
    private const uint X32Bit = 0x40000000, CloneThread = 0x00010000;
    /// <summary>fcntl's commands that choose who is signalled about a file, and by what: until Linux 6.12 any process of the user, by SIGKILL.</summary>
    private const uint SetOwner = 8, SetSignal = 10, SetOwnerOrThread = 15;
    private const uint SetModeFilter = 1, AllThreads = 1;

    private static bool Arm64 => RuntimeInformation.ProcessArchitecture == Architecture.Arm64;

    /// <summary>Puts the filter on all threads of this process, for good; null, or what is missing in a sentence. Needs no_new_privs.</summary>
    public static string? Enter()
    {
        var filter = Build(Arm64, Environment.ProcessId);
        fixed (Instruction* instructions = filter)
        {
            var program = new Program { Length = (ushort)filter.Length, Instructions = instructions };
            var result = Libc.Syscall(Arm64 ? 277 : 317, (nint)SetModeFilter, (nint)AllThreads, (nint)(&program), 0, 0);
            return result == 0 ? null : $"seccomp filters cannot be set ({Libc.LastError()}): a child may make any system call; use a kernel with CONFIG_SECCOMP_FILTER.";
        }
    }

    /// <summary>The filter; <paramref name="processId"/> is the one process that signals and limits may be meant for.</summary>
    internal static Instruction[] Build(bool arm64, int processId)
    {
        var (clone, clone3, kill, tgkill) = arm64 ? (220, 435, 129, 131) : (56, 435, 62, 234);
        var (prlimit, setAffinity, fcntl) = arm64 ? (261, 122, 25) : (302, 203, 72);
        var code = new List<Instruction>
        {
            new(LoadWord, 0, 0, ArchitectureOffset),
            new(JumpEqual, 1, 0, arm64 ? ArchitectureArm64 : ArchitectureX64),
            new(Return, 0, 0, KillProcess),
            new(LoadWord, 0, 0, NumberOffset),
        };
        if (!arm64) code.AddRange([new(JumpAtLeast, 0, 1, X32Bit), new(Return, 0, 0, KillProcess)]);
        foreach (var number in ForbiddenCalls.Numbers(arm64))
            code.AddRange([new(JumpEqual, 0, 1, (uint)number), Refuse(Libc.NotPermitted)]);
        // glibc falls back to clone, whose flags a filter can see.
        code.AddRange([new(JumpEqual, 0, 1, (uint)clone3), Refuse(Libc.NoSuchCall)]);
        code.AddRange([new(JumpEqual, 0, 4, (uint)clone), new(LoadWord, 0, 0, FirstArgumentOffset), new(JumpSet, 0, 1, CloneThread), new(Return, 0, 0, Allow), Refuse(Libc.NotPermitted)]);
        foreach (var number in (int[])[kill, tgkill])
            code.AddRange([new(JumpEqual, 0, 4, (uint)number), new(LoadWord, 0, 0, FirstArgumentOffset), new(JumpEqual, 0, 1, (uint)processId), new(Return, 0, 0, Allow), Refuse(Libc.NotPermitted)]);
        foreach (var number in (int[])[prlimit, setAffinity])
            code.AddRange([new(JumpEqual, 0, 5, (uint)number), new(LoadWord, 0, 0, FirstArgumentOffset), new(JumpEqual, 1, 0, 0), new(JumpEqual, 0, 1, (uint)processId), new(Return, 0, 0, Allow), Refuse(Libc.NotPermitted)]);
        code.AddRange([new(JumpEqual, 0, 6, (uint)fcntl), new(LoadWord, 0, 0, SecondArgumentOffset)]);
        code.AddRange([new(JumpEqual, 2, 0, SetOwner), new(JumpEqual, 1, 0, SetSignal), new(JumpEqual, 0, 1, SetOwnerOrThread), Refuse(Libc.NotPermitted), new(Return, 0, 0, Allow)]);
        code.Add(new(Return, 0, 0, Allow));
        return [.. code];
    }

    private static Instruction Refuse(int error) => new(Return, 0, 0, Errno | (uint)error);

    /// <summary>struct sock_filter.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal readonly record struct Instruction(ushort Code, byte True, byte False, uint Operand);

    /// <summary>struct sock_fprog.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Program
    {
        public ushort Length;
        public Instruction* Instructions;
    }
}
