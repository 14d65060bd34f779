using System.Globalization;
using System.Runtime.InteropServices;
using Dunlin.Agent.Sandboxing;
using Dunlin.HostileChild;

// A child in the hands of an attacker: enters the agent's own sandbox, then tries what an attacker would, and says what came of it.
// Arguments: ROLE, the sandbox's rules, then a file that it may read, one that it may not, another release's folder, and the supervisor's id.
var entered = Sandbox.Enter(args[1..]);
var (allowed, secret, otherRelease, supervisor) =
    (entered.Arguments[0], entered.Arguments[1], entered.Arguments[2], int.Parse(entered.Arguments[3], CultureInfo.InvariantCulture));
foreach (var missing in entered.Missing) Console.WriteLine($"missing: {missing}");
Attempt("read what is allowed", () => File.ReadAllText(allowed));
Attempt("load a library", () => NativeLibrary.Free(NativeLibrary.Load("libz.so.1")));
Attempt("start a thread", () =>
{
    var thread = new Thread(() => { });
    thread.Start();
    thread.Join();
});
Attempt("network", () => Native.Check(Native.Socket(2, 1, 0)));
Attempt("local socket", () => Native.Check(Native.Socket(1, 1, 0)));
Attempt("key file", () => File.ReadAllText(secret));
Attempt("other release", () => Directory.GetFiles(otherRelease));
Attempt("supervisor's environment", () => File.ReadAllBytes($"/proc/{supervisor}/environ"));
Attempt("write outside", () => File.WriteAllText(Path.Combine(Path.GetTempPath(), $"hostile-{Environment.ProcessId}"), "x"));
Attempt("change a file's mode", () => Native.Check(Native.ChangeMode(secret, 511)));
Attempt("trace the supervisor", () => Native.Check(Native.Trace(16, supervisor, 0, 0)));
Attempt("signal the supervisor", () => Native.Check(Native.Kill(supervisor, 0)));
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
