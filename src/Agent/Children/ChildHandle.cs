using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;

namespace Dunlin.Agent.Children;

/// <summary>A process descriptor: signals and the reaping can meet no other process that got the same number.</summary>
internal sealed unsafe class ChildHandle : IDisposable
{
    private const nint PidfdSendSignal = 424, PidfdOpen = 434;
    private const int WaitByDescriptor = 3, WaitExited = 4;
    private const int CodeExited = 1;

    private readonly Descriptor _descriptor;

    /// <exception cref="System.ComponentModel.Win32Exception">The kernel gives no descriptor; the process is killed and reaped then.</exception>
    public ChildHandle(int id)
    {
        Id = id;
        var descriptor = (int)Libc.Syscall(PidfdOpen, id, 0, 0, 0, 0);
        if (descriptor < 0)
        {
            var failure = Descriptor.Failure("pidfd_open (Linux 5.3)");
            _ = Libc.Kill(id, Libc.SigKill);
            while (Libc.WaitFor(id, null, 0) < 0 && Marshal.GetLastPInvokeError() == Libc.Interrupted) { }
            throw failure;
        }

        _descriptor = new Descriptor(descriptor);
    }

    public int Id { get; }

    /// <summary>Readable when the process has ended.</summary>
    public int ProcessDescriptor => _descriptor.Number;

    public void Signal(int signal) => _ = Libc.Syscall(PidfdSendSignal, ProcessDescriptor, signal, 0, 0, 0);

    /// <summary>Waits for the end, frees the process and the descriptor, and says how it ended.</summary>
    public ChildExit Reap(string name, (string Code, string Reason)? killed, IReadOnlyList<string> lastLines)
    {
        const int informationByteCount = 128, usageByteCount = 144;
        const int codeAt = 8, statusAt = 24, peakKibibytesAt = 32;
        var information = stackalloc byte[informationByteCount];
        var usage = stackalloc byte[usageByteCount];
        new Span<byte>(information, informationByteCount).Clear();
        new Span<byte>(usage, usageByteCount).Clear();
        var waitCall = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 95 : 247;
        while (Libc.Syscall(waitCall, WaitByDescriptor, ProcessDescriptor, (nint)information, WaitExited, (nint)usage) < 0
            && Marshal.GetLastPInvokeError() == Libc.Interrupted) { }
        Dispose();

        var status = *(int*)(information + statusAt);
        var exited = *(int*)(information + codeAt) == CodeExited;
        var times = (long*)usage;
        return ExitReason.Of(name, exited ? status : null, exited ? null : status, killed, lastLines) with
        {
            CpuTime = TimeSpan.FromSeconds(times[0] + times[2]) + TimeSpan.FromMicroseconds(times[1] + times[3]),
            PeakByteCount = *(long*)(usage + peakKibibytesAt) * 1024,
        };
    }

    public void Dispose() => _descriptor.Dispose();
}
