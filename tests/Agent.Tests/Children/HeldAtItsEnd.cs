using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Dunlin.Agent.Tests.Children;

/// <summary>A process that SIGKILL does not end until this is disposed of: it stops in the kernel on its way out (PTRACE_O_TRACEEXIT), as one does that hangs in a driver.</summary>
internal sealed partial class HeldAtItsEnd : IDisposable
{
    private const int Seize = 0x4206, TraceExit = 0x40;

    // The tracer is a thread: when it ends, the kernel lets go of what it traces.
    private readonly ManualResetEventSlim _done = new();
    private readonly Thread _tracer;

    private HeldAtItsEnd(int process, TaskCompletionSource seized) =>
        _tracer = new Thread(() =>
        {
            if (Trace(Seize, process, 0, TraceExit) == 0) seized.SetResult();
            else seized.SetException(new Win32Exception());
            _done.Wait();
        });

    public static async Task<HeldAtItsEnd> SeizeAsync(int process)
    {
        var seized = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var held = new HeldAtItsEnd(process, seized);
        held._tracer.Start();
        await seized.Task;
        return held;
    }

    public void Dispose()
    {
        _done.Set();
        _tracer.Join();
        _done.Dispose();
    }

    [LibraryImport("libc.so.6", EntryPoint = "ptrace", SetLastError = true)]
    private static partial nint Trace(int request, int process, nint address, nint data);
}
