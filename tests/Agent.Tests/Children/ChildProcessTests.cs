using System.ComponentModel;
using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Children;

public sealed class ChildProcessTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly Lines<ChildProcess> _log = new();

    [Fact]
    public async Task OnlyTheDescriptorsThatWereMeantReachAChildAndNothingOfTheEnvironment()
    {
        await using var camera = File.OpenRead("/dev/zero");
        var start = TestChildren.Shell(_folder, "mkdir runs; sleep 60 & wait") with { Camera = (int)camera.SafeFileHandle.DangerousGetHandle() };
        await using var child = await Start(start);
        // Until its script runs, the loader has a library open.
        await Eventually.TrueAsync(() => Directory.Exists(Path.Join(_folder.Path, "runs")), "the shell's script runs");
        var descriptors = Directory.GetFiles($"/proc/{child.Id}/fd").Select(Path.GetFileName).Order();
        Assert.Equal(["0", "1", "2", "3", "4", "5"], descriptors);
        Assert.Empty(File.ReadAllBytes($"/proc/{child.Id}/environ"));
        Assert.Equal(_folder.Path, new DirectoryInfo($"/proc/{child.Id}/cwd").LinkTarget);
    }

    [Theory]
    [InlineData("exit 0", ChildExitCodes.Stopped, "ended by itself")]
    [InlineData("echo 'no such model'; exit 3", ChildExitCodes.Failed, "exit code 3, its last words being 'no such model'")]
    [InlineData("kill -SEGV $$", ChildExitCodes.Crashed, "SIGSEGV")]
    [InlineData("kill -KILL $$", ChildExitCodes.Killed, "by the kernel for want of memory")]
    [InlineData("kill -SYS $$", ChildExitCodes.Forbidden, "system call")]
    [InlineData("kill -XCPU $$", ChildExitCodes.CpuLimit, "CPU time")]
    [InlineData("echo terminate called after throwing std::bad_alloc >&2; kill -ABRT $$", ChildExitCodes.OutOfMemory, "memory")]
    public async Task TheWayAChildEndedBecomesACodeAndASentence(string script, string code, string sentence)
    {
        await using var child = await Start(TestChildren.Shell(_folder, script));
        var exit = await child.Exited.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(code, exit.Code);
        Assert.Contains(sentence, exit.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("printf '\\000\\000\\000\\000' >&4; sleep 60", "claims 0 bytes")]
    [InlineData("printf '\\377\\377\\377\\177' >&4; sleep 60", "claims 2147483647 bytes")]
    [InlineData("printf '\\010\\000\\000\\000{\"a\":1}x' >&4; sleep 60", "not of this protocol")]
    [InlineData("printf '\\020\\000\\000\\000abc' >&4; exec 4>&-; sleep 60", "ended within a message")]
    public async Task AChildThatBreaksTheProtocolIsKilledAtOnce(string script, string sentence)
    {
        await using var child = await Start(TestChildren.Shell(_folder, script));
        var exit = await child.Exited.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.Protocol, exit.Code);
        Assert.Contains(sentence, exit.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AChildThatReadsNothingNeitherBlocksTheSenderNorGrowsItsQueue()
    {
        await using var child = await Start(TestChildren.Shell(_folder, "sleep 60 & wait"));
        var message = new Prepare { Session = TestChildren.Session(_folder, OnnxModels.Tiny()), OutputDirectory = new string('x', 100_000) };
        var sent = 0;
        while (child.Send(message)) Assert.True(++sent < 1000);
        var exit = await child.Exited.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.Hung, exit.Code);
        Assert.False(child.Send(message));
    }

    [Fact]
    public async Task AFloodOnStandardErrorIsCountedAndNotLogged()
    {
        await using var child = await Start(TestChildren.Shell(_folder, "i=0; while [ $i -lt 5000 ]; do echo \"rtsp://user:secret@camera/ $i\" >&2; i=$((i+1)); done"));
        await child.Exited.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.InRange(_log.All.Count, 1, 500);
        Assert.Contains(_log.All, line => line.Contains("more lines", StringComparison.Ordinal));
        Assert.DoesNotContain(_log.All, line => line.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DisposingAChildLeavesNoZombie()
    {
        var child = await Start(TestChildren.Shell(_folder, "sleep 60 & wait"));
        var id = child.Id;
        await child.DisposeAsync();
        Assert.Null(child.Id);
        Assert.False(Directory.Exists($"/proc/{id}"));
        using var other = Process.Start("/bin/true");
        await other.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(0, other.ExitCode);
    }

    [Fact]
    public async Task AKilledChildThatTheKernelHoldsIsReportedAndReapedWhenItLetsGo()
    {
        await using var child = await Start(TestChildren.Shell(_folder, "sleep 60"));
        using (await HeldAtItsEnd.SeizeAsync(child.Id!.Value))
        {
            child.Kill(ChildExitCodes.Hung, "it was silent");
            await Eventually.TrueAsync(() => _log.All.Any(line => line.Contains("has not ended", StringComparison.Ordinal)), "a word about the child that does not end");
            Assert.False(child.Exited.IsCompleted);
        }

        var exit = await child.Exited.WaitAsync(Deadline, TestContext.Current.CancellationToken);
        Assert.Equal(ChildExitCodes.Hung, exit.Code);
        Assert.Single(_log.All, line => line.Contains("has not ended", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AProgramThatIsNotThereIsNamed()
    {
        var start = TestChildren.Shell(_folder, "") with { Executable = "/no/such/program" };
        var e = await Assert.ThrowsAsync<Win32Exception>(() => Start(start));
        Assert.Contains("/no/such/program", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private Task<ChildProcess> Start(ChildStart start) => ChildProcess.StartAsync(start, _ => { }, _log, TimeProvider.System);
}
