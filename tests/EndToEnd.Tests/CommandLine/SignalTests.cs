using System.Diagnostics;
using Dunlin.TestKit;
using Dunlin.TestKit.Machine;

namespace Dunlin.EndToEnd.Tests.CommandLine;

/// <summary>Real signals to the three programs, while they read a file that never ends and look at no token.</summary>
public sealed class SignalTests : IDisposable
{
    private const int Interrupted = 130;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    // Longer than two signals of one wish lie apart, and shorter than what the first one leaves for an orderly end.
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(300);

    private readonly TemporaryFolder _space = new();

    public static TheoryData<string, string> Programs => new()
    {
        { "Agent/dunlin-agent", "status --config" },
        { "Fleet/dunlin-fleet", "watch --user watcher --password-file" },
        { "Optimizer/dunlin-optimizer", "inspect" },
    };

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task ASecondSignalEndsAProgramAtOnceWith130AndWithoutATrace(string program, string arguments)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var endless = await EndlessFile.OpenAsync(_space["endless"]);
        using var process = Start(Executable(program), [.. arguments.Split(' '), endless.Path]);
        await endless.IsReadAsync(patience.Token);
        ProcessTable.Signal(process.Id, "INT");
        await Task.Delay(Moment, patience.Token);
        Assert.False(process.HasExited);
        var second = Stopwatch.GetTimestamp();
        ProcessTable.Signal(process.Id, "INT");
        Assert.Equal((Interrupted, "", ""), await EndAsync(process, patience.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(second).TotalSeconds, 0, 3);
    }

    [Theory]
    [MemberData(nameof(Programs))]
    public async Task TwoSignalsOfOneWishAreOneAndAProgramThatDoesNotEndIsEnded(string program, string arguments)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var endless = await EndlessFile.OpenAsync(_space["endless"]);
        // When its time is up, or so it is told, it signals its child and then the child's whole group.
        using var process = Start("timeout", ["--preserve-status", "--signal=INT", "600", Executable(program), .. arguments.Split(' '), endless.Path]);
        await endless.IsReadAsync(patience.Token);
        var up = Stopwatch.GetTimestamp();
        ProcessTable.Signal(process.Id, "ALRM");
        Assert.Equal((Interrupted, "", ""), await EndAsync(process, patience.Token));
        Assert.InRange(Stopwatch.GetElapsedTime(up).TotalSeconds, 1.9, 7);
    }

    public void Dispose() => _space.Dispose();

    private static string Executable(string program) => RepositoryFolder.Program(Path.GetDirectoryName(program)!, Path.GetFileName(program));

    // Who runs the tests in the background of a shell hands on that SIGINT is ignored.
    private static Process Start(string program, IReadOnlyList<string> arguments) =>
        Process.Start(new ProcessStartInfo("env", ["--default-signal=INT", program, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;

    private static async Task<(int Code, string Output, string Errors)> EndAsync(Process process, CancellationToken cancellationToken)
    {
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(cancellationToken), process.StandardError.ReadToEndAsync(cancellationToken));
        await process.WaitForExitAsync(cancellationToken);
        return (process.ExitCode, await output, await errors);
    }
}
