using System.Diagnostics;
using System.Globalization;
using Dunlin.Agent.Children;
using Dunlin.Agent.Sandboxing;
using Dunlin.Agent.Tests.Children;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;

namespace Dunlin.Agent.Tests.Sandboxing;

/// <summary>Row 34 of the promises: a child in an attacker's hands, in the sandbox of our children.</summary>
public sealed class HostileChildTests : IDisposable
{
    private const string NotPermitted = "denied (EPERM)", NoAccess = "denied (EACCES)";

    /// <summary>What a child needs.</summary>
    private static readonly string[] Permitted = ["read what is allowed", "load a library", "start a thread", "choose its own cores"];

    /// <summary>What it is refused, and as what: by the filter, by Landlock, by its limit of memory.</summary>
    private static readonly (string Attempt, string Refusal)[] Refused =
    [
        ("network", NotPermitted),
        ("local socket", NotPermitted),
        ("key file", NoAccess),
        ("other release", NoAccess),
        ("supervisor's environment", NoAccess),
        ("write outside", NoAccess),
        ("change a file's mode", NotPermitted),
        ("trace the supervisor", NotPermitted),
        ("signal the supervisor", NotPermitted),
        ("have the supervisor signalled", NotPermitted),
        ("choose the signal", NotPermitted),
        ("have a process signalled", NotPermitted),
        ("be nicer than the supervisor", NotPermitted),
        ("choose the supervisor's cores", NotPermitted),
        ("choose the supervisor's scheduler", NotPermitted),
        ("choose the supervisor's priority", NotPermitted),
        ("choose how the supervisor is scheduled", NotPermitted),
        ("hold up the supervisor's disk", NotPermitted),
        ("execute", NotPermitted),
        ("fork bomb", NotPermitted),
        ("8 GB of memory", "denied (ENOMEM)"),
        ("io_uring", NotPermitted),
        ("another user namespace", NotPermitted),
        // As if the kernel were too old for it: glibc then takes clone, whose flags the filter sees.
        ("another user namespace by clone3", "denied (ENOSYS)"),
        ("unshare", NotPermitted),
    ];

    /// <summary>What the control leaves out: it would become another program, or take the machine with it.</summary>
    private static readonly string[] OnlyInside = ["execute", "fork bomb", "8 GB of memory"];

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task EverythingThatAHostileChildTriesIsDenied()
    {
        var log = new Lines<ChildProcess>();
        await using var child = await ChildProcess.StartAsync(Start(Environment.ProcessId), null, log, TimeProvider.System);
        var exit = await child.Exited.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        Assert.True(exit.Code == ChildExitCodes.Stopped, exit.Reason);
        var says = log.All.Select(line => line.Replace("worker says: ", "", StringComparison.Ordinal)).ToArray();
        var missing = says.TakeWhile(line => line.StartsWith("missing: ", StringComparison.Ordinal)).ToArray();
        Assert.Equal([.. Succeeded(Permitted), .. Refused.Select(one => $"{one.Attempt}: {one.Refusal}"), "end"], says[missing.Length..]);
        if (missing is [var first, ..]) Assert.Skip($"This kernel: {first}");
    }

    [Fact]
    public async Task WithoutTheSandboxItDoesWhatIsDeniedInside()
    {
        if (!Environment.IsPrivilegedProcess) Assert.Skip("Only root may do all that a child is denied.");
        if (Kernel("kernel/io_uring_disabled") is not (null or "0") || Kernel("user/max_user_namespaces") is "0") Assert.Skip("This machine gives nobody io_uring or another user namespace.");
        using var victim = Process.Start("sleep", ["60"]);
        try
        {
            var start = Start(victim.Id, "control");
            using var child = Process.Start(new ProcessStartInfo(start.Executable, start.Arguments) { RedirectStandardOutput = true })!;
            var says = await child.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
            Assert.Equal([.. Succeeded(Permitted), .. Succeeded(Refused.Select(one => one.Attempt).Except(OnlyInside)), "end"], says.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        }
        finally
        {
            victim.Kill();
        }
    }

    private static IEnumerable<string> Succeeded(IEnumerable<string> attempts) => attempts.Select(attempt => $"{attempt}: SUCCEEDED");

    private static string? Kernel(string setting) => Path.Combine("/proc/sys", setting) is var path && File.Exists(path) ? File.ReadAllText(path).Trim() : null;

    /// <summary>Inside the sandbox, or as another role outside it.</summary>
    private ChildStart Start(int supervisor, string? role = null)
    {
        var allowed = _folder.Sub("cache");
        File.WriteAllText(Path.Combine(allowed, "model.onnx"), "weights");
        var host = TestChildren.Host(_folder, "Dunlin.HostileChild.dll");
        var start = host.Worker(new SandboxRules { Read = [allowed], DataByteCount = 1L << 30 }, null);
        string[] head = role is null ? [.. start.Arguments] : [.. host.Prefix, role];
        var secret = _folder.File("device.key", "key"u8.ToArray());
        return start with { Messages = false, Arguments = [.. head, Path.Combine(allowed, "model.onnx"), secret, _folder.Sub("other-release"), supervisor.ToString(CultureInfo.InvariantCulture)] };
    }

    public void Dispose() => _folder.Dispose();
}
