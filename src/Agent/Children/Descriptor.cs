using System.ComponentModel;
using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>An owned file descriptor.</summary>
internal sealed class Descriptor : SafeHandle
{
    /// <summary>Sources of dup2 lie above every number that a child is given, so that no dup2 overwrites the source of the next.</summary>
    private const int LowestSource = 64;
    private const int DuplicateCloseOnExec = 1030;

    public Descriptor(int number)
        : base(-1, ownsHandle: true) => SetHandle(number);

    public int Number => (int)handle;

    public override bool IsInvalid => handle < 0;

    /// <summary>A pipe's read and write end, both close-on-exec.</summary>
    public static unsafe (Descriptor Read, Descriptor Write) Pipe()
    {
        var ends = stackalloc int[2];
        if (Libc.Pipe2(ends, Libc.CloseOnExec) < 0) throw Failure("pipe2");
        return (new Descriptor(ends[0]), new Descriptor(ends[1]));
    }

    /// <summary>Another descriptor for the same file, high enough to be the source of a child's dup2.</summary>
    public static Descriptor Duplicate(int number)
    {
        var copy = Libc.Fcntl(number, DuplicateCloseOnExec, LowestSource);
        return copy < 0 ? throw Failure("fcntl(F_DUPFD_CLOEXEC)") : new Descriptor(copy);
    }

    /// <summary>Makes reads and writes of this end return instead of wait.</summary>
    public void MakeNonBlocking()
    {
        const int setFlags = 4;
        if (Libc.Fcntl(Number, setFlags, Libc.NonBlocking) < 0) throw Failure("fcntl(F_SETFL)");
    }

    public static Win32Exception Failure(string call) =>
        new(Marshal.GetLastPInvokeError(), $"{call} failed: {Libc.LastError()}");

    protected override bool ReleaseHandle() => Libc.Close(Number) == 0;
}
