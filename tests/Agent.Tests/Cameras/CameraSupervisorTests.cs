using Dunlin.Agent.Cameras;
using Dunlin.Agent.Children;
using Dunlin.Agent.Tests.Children;
using Dunlin.Runtime.Cameras;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;
using Microsoft.Win32.SafeHandles;

namespace Dunlin.Agent.Tests.Cameras;

/// <summary>Real programs under a clock of the test's.</summary>
public sealed class CameraSupervisorTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15), Step = TimeSpan.FromSeconds(0.5);

    private readonly TemporaryFolder _folder = new();
    private readonly FakeTimeProvider _time = new();
    private readonly Lines<CameraSupervisor> _log = new();

    [Fact]
    public async Task AProgramThatRunsButDeliversNothingIsStartedAnewAfterItsPatience()
    {
        await using var supervisor = Supervisor("exec sleep 600");
        using var stop = new CancellationTokenSource();
        var exits = new List<ChildExit>();
        var running = supervisor.RunAsync(exits.Add, stop.Token);
        var first = await IdAsync(supervisor, 0);
        for (var i = 0; i < 100; i++) _time.Advance(Step);
        Assert.Equal(first, supervisor.ProcessId);

        supervisor.Observe(SampleMessages.Camera with { State = CameraStates.Stalled });
        _time.Advance(Patience - Step);
        Assert.Equal(first, supervisor.ProcessId);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(Step);
            return supervisor.ProcessId is { } id && id != first;
        }, "another program runs");
        Assert.Equal("The sh was stopped: no whole frame came of it for 15 s.", Assert.Single(exits).Reason);
        Assert.Contains(_log.All, line => line.Contains("no whole frame came of it", StringComparison.Ordinal));

        // It delivers: however long it runs, it stays.
        supervisor.Observe(SampleMessages.Camera with { State = CameraStates.Ok });
        var second = await IdAsync(supervisor, first);
        for (var i = 0; i < 100; i++) _time.Advance(Step);
        Assert.Equal(second, supervisor.ProcessId);
        await stop.CancelAsync();
        await running;
        Assert.False(Directory.Exists($"/proc/{second}"), "it is gone");
    }

    [Fact]
    public async Task WhyAProgramEndedIsToldEachTime()
    {
        await using var supervisor = Supervisor("echo 'rtsp://me:secret@camera/1: 401 Unauthorized' >&2; exit 3");
        var exits = await ExitsAsync(supervisor);
        Assert.Contains("exit code 3", exits[0].Reason, StringComparison.Ordinal);
        Assert.Contains("401 Unauthorized", exits[0].Reason, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", exits[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AFilmThatIsNotRepeatedIsPlayedOnceAndEndsTheStream()
    {
        await using var supervisor = Supervisor("printf film", isFinite: true);
        var exits = new List<ChildExit>();
        await supervisor.RunAsync(exits.Add, TestContext.Current.CancellationToken).WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Empty(exits);
        Assert.Null(supervisor.ProcessId);
        Assert.DoesNotContain(_log.All, line => line.Contains("starts again", StringComparison.Ordinal));
        using var pipe = new FileStream(new SafeFileHandle(supervisor.ReadDescriptor, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        using var reader = new StreamReader(pipe);
        Assert.Equal("film", await reader.ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task AFilmThatCannotBePlayedIsTriedAgain()
    {
        await using var supervisor = Supervisor("exit 1", isFinite: true);
        await ExitsAsync(supervisor);
    }

    [Fact]
    public async Task AProgramThatIsNotInstalledIsNamed()
    {
        await using var supervisor = new CameraSupervisor(TestChildren.Host(_folder), new CameraProgram("rpicam-nowhere", []), Patience, _log, _time);
        using var stop = new CancellationTokenSource();
        var exits = new List<ChildExit>();
        var running = supervisor.RunAsync(exits.Add, stop.Token);
        await Eventually.TrueAsync(() => exits.Count == 1, "it is told");
        await stop.CancelAsync();
        await running;
        Assert.Contains("'rpicam-nowhere' is in none of", exits[0].Reason, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    // The first two.
    private async Task<IReadOnlyList<ChildExit>> ExitsAsync(CameraSupervisor supervisor)
    {
        using var stop = new CancellationTokenSource();
        var exits = new List<ChildExit>();
        var running = supervisor.RunAsync(exits.Add, stop.Token);
        await Eventually.TrueAsync(() =>
        {
            _time.Advance(Step);
            return exits.Count >= 2;
        }, "it is started again");
        await stop.CancelAsync();
        await running;
        return exits;
    }

    private CameraSupervisor Supervisor(string script, bool isFinite = false) =>
        new(TestChildren.Host(_folder), new CameraProgram("/bin/sh", ["-c", script]) { IsFinite = isFinite }, Patience, _log, _time);

    private async Task<int> IdAsync(CameraSupervisor supervisor, int former)
    {
        await Eventually.TrueAsync(() => supervisor.ProcessId is { } id && id != former, () => $"a program runs; it says: {string.Join("; ", _log.All)}");
        return supervisor.ProcessId!.Value;
    }
}
