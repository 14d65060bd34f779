using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;
using Dunlin.HostileChild;

// A child in the hands of an attacker: enters the agent's own sandbox, then tries what an attacker would, and says what came of it.
// Arguments: ROLE, the sandbox's rules, then a file that it may read, one that it may not, another release's folder, and the supervisor's id.
var entered = Sandbox.Enter(args[1..]);
var (allowed, secret, otherRelease, supervisor) =
    (entered.Arguments[0], entered.Arguments[1], entered.Arguments[2], int.Parse(entered.Arguments[3], CultureInfo.InvariantCulture));
var isArm64 = RuntimeInformation.ProcessArchitecture == Architecture.Arm64;
foreach (var missing in entered.Missing) Console.WriteLine($"missing: {missing}");
Attempt("read what is allowed", () => File.ReadAllText(allowed));
Attempt("load a library", () => NativeLibrary.Free(NativeLibrary.Load("libz.so.1")));
Attempt("start a thread", () =>
{
    var thread = new Thread(() => { });
    thread.Start();
    thread.Join();
});
Attempt("choose its own cores", () => Native.Check(Native.SetAffinity(0, sizeof(ulong), ulong.MaxValue)));
Attempt("network", () => Native.Check(Native.Socket(2, 1, 0)));
Attempt("local socket", () => Native.Check(Native.Socket(1, 1, 0)));
Attempt("key file", () => File.ReadAllText(secret));
Attempt("other release", () => Directory.GetFiles(otherRelease));
Attempt("supervisor's environment", () => File.ReadAllBytes($"/proc/{supervisor}/environ"));
Attempt("write outside", () => File.WriteAllText(Path.Combine(Path.GetTempPath(), $"hostile-{Environment.ProcessId}"), "x"));
Attempt("change a file's mode", () => Native.Check(Native.ChangeMode(secret, 511)));
Attempt("trace the supervisor", () => Native.Check(Native.Trace(16, supervisor, 0, 0)));
Attempt("signal the supervisor", () => Native.Check(Native.Kill(supervisor, 0)));
// With O_ASYNC these would have the kernel send SIGKILL to whom it may not signal itself.
Attempt("have the supervisor signalled", () => Native.Check(Native.FileControl(1, 8, supervisor)));
Attempt("choose the signal", () => Native.Check(Native.FileControl(1, 10, 9)));
Attempt("have a process signalled", () =>
{
    unsafe
    {
        var owner = stackalloc[] { 1, supervisor };
        Native.Check(Native.FileControl(1, 15, (nint)owner));
    }
});
// Each to what it is already, or nearly.
Attempt("be nicer than the supervisor", () => Native.Check(Native.SetPriority(0, supervisor, 5)));
Attempt("choose the supervisor's cores", () => Native.Check(Native.SetAffinity(supervisor, sizeof(ulong), ulong.MaxValue)));
Attempt("choose the supervisor's scheduler", () => Native.Check(Native.SetScheduler(supervisor, 0, 0)));
Attempt("choose the supervisor's priority", () => Native.Check(Native.SetSchedulerPriority(supervisor, 0)));
Attempt("choose how the supervisor is scheduled", () =>
{
    unsafe
    {
        var attributes = stackalloc int[12];
        new Span<int>(attributes, 12).Clear();
        attributes[0] = 12 * sizeof(int);
        Native.Check((int)Native.Syscall(isArm64 ? 274 : 314, supervisor, (nint)attributes));
    }
});
Attempt("hold up the supervisor's disk", () => Native.Check((int)Native.Syscall(isArm64 ? 30 : 251, 1, supervisor, (2 << 13) | 4)));
Attempt("execute", () => Native.Check(Native.Execute("/bin/true", 0, 0)));
Attempt("fork bomb", () =>
{
    for (var i = 0; i < 1000; i++)
    {
        if (Native.Check(Native.Fork()) == 0) Native.Exit(0);
    }
});
Attempt("8 GB of memory", () =>
{
    unsafe
    {
        const int gigabytes = 8;
        const nuint gigabyte = 1 << 30;
        for (var i = 0; i < gigabytes; i++) NativeMemory.Clear(NativeMemory.Alloc(gigabyte), gigabyte);
    }
});
Attempt("io_uring", () => Native.Check((int)Native.Syscall(425, 8, 0)));
Attempt("another user namespace", () => Native.Check(Native.Unshare(0x10000000)));
Console.WriteLine("end");

static void Attempt(string name, Action attack)
{
    try
    {
        attack();
        Console.WriteLine($"{name}: SUCCEEDED");
    }
    catch (Exception e)
    {
        Console.WriteLine($"{name}: denied ({e.GetType().Name}: {e.Message})");
    }
}
