using System.ComponentModel;
using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;
using Dunlin.HostileChild;

// A child in the hands of an attacker: enters the agent's own sandbox, then tries what an attacker would, and says what came of it.
// Arguments: ROLE, the sandbox's rules, then a file that it may read, one that it may not, another release's folder, and the supervisor's id.
// With the role 'control' it stays outside and leaves out what would end it or the machine: what is denied inside must work there.
var control = args[0] == "control";
var entered = control ? new Entered(args[1..], []) : Sandbox.Enter(args[1..]);
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
Attempt("write outside", () =>
{
    var outside = Path.Combine(Path.GetTempPath(), $"hostile-{Environment.ProcessId}");
    File.WriteAllText(outside, "x");
    File.Delete(outside);
});
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
if (!control) Attempt("execute", () => Native.Check(Native.Execute("/bin/true", 0, 0)));
if (!control) Attempt("fork bomb", () =>
{
    for (var i = 0; i < 1000; i++)
    {
        if (Native.Check(Native.Fork()) == 0) Native.Exit(0);
    }
});
if (!control) Attempt("8 GB of memory", () =>
{
    unsafe
    {
        const int gigabytes = 8;
        const nuint gigabyte = 1 << 30;
        for (var i = 0; i < gigabytes; i++) NativeMemory.Clear(NativeMemory.Alloc(gigabyte), gigabyte);
    }
});
Attempt("io_uring", () =>
{
    unsafe
    {
        const int byteCount = 120;
        var parameters = stackalloc byte[byteCount];
        new Span<byte>(parameters, byteCount).Clear();
        Native.Check((int)Native.Syscall(425, 8, (nint)parameters));
    }
});
// Not unshare: the kernel gives no process of several threads another user namespace, sandbox or none.
const int newUser = 0x10000000, childSignal = 17, shareNoFolder = 0x200;
Attempt("another user namespace", () =>
{
    if (Native.Check((int)Native.Syscall(isArm64 ? 220 : 56, newUser | childSignal, 0)) == 0) Native.Exit(0);
});
Attempt("another user namespace by clone3", () =>
{
    unsafe
    {
        const int count = 8, signal = 4;
        var arguments = stackalloc ulong[count];
        new Span<ulong>(arguments, count).Clear();
        (arguments[0], arguments[signal]) = (newUser, childSignal);
        if (Native.Check((int)Native.Syscall(435, (nint)arguments, count * sizeof(ulong))) == 0) Native.Exit(0);
    }
});
// The least of what unshare does, which needs no rights.
Attempt("unshare", () => Native.Check(Native.Unshare(shareNoFolder)));
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
        Console.WriteLine($"{name}: {Refusal(e)}");
    }
}

// What the kernel said; anything else is no refusal, but a fault of this program.
static string Refusal(Exception e) => e switch
{
    Win32Exception native => Error(native.NativeErrorCode),
    UnauthorizedAccessException { InnerException: IOException file } => Error(file.HResult),
    OutOfMemoryException => "denied (ENOMEM)",
    _ => $"FAILED ({e.GetType().Name}: {e.Message})",
};

static string Error(int number) => number switch
{
    1 => "denied (EPERM)",
    13 => "denied (EACCES)",
    38 => "denied (ENOSYS)",
    _ => $"FAILED ({new Win32Exception(number).Message})",
};
