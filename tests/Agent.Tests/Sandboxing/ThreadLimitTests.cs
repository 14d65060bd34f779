using System.Diagnostics;
using Dunlin.Agent.Children;
using Dunlin.Agent.Racing;
using Dunlin.Agent.Tests.Children;
using Dunlin.Contracts.Worker;
using Dunlin.TestKit;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Sandboxing;

/// <summary>The kernel counts the threads of a user wherever they are, and exempts root: this is another user's day.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ThreadLimitTests : IDisposable
{
    private const string Other = "65533";
    private static readonly string[] AsOther = ["--reuid", Other, "--regid", Other, "--clear-groups", "--"];

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task AUserWithHundredsOfThreadsElsewhereRunsChildrenAllTheSame()
    {
        if (Environment.UserName != "root") Assert.Skip("Only root can run something as another user.");
        File.SetUnixFileMode(_folder.Path, (UnixFileMode)0b111_101_101);
        var host = TestChildren.Host(_folder);
        foreach (var path in (string[])[host.Executable, .. host.Prefix, _folder.Path])
            if (!await MayReadAsync(path)) Assert.Skip($"Another user cannot read '{path}'.");
        using var busy = Process.Start("setpriv", [.. AsOther, "/usr/bin/python3", "-c", "import threading, time\nfor _ in range(300): threading.Thread(target=time.sleep, args=(120,)).start()"]);
        try
        {
            await Eventually.TrueAsync(() => Directory.GetDirectories($"/proc/{busy.Id}/task").Length > 300, "the user is busy");
            var session = TestChildren.Session(_folder, OnnxModels.Tiny());
            var heats = new HeatRunner(host with { Executable = "/usr/bin/setpriv", Prefix = [.. AsOther, host.Executable, .. host.Prefix] }, new Lines<HeatRunner>(), TimeProvider.System);
            var outcome = await heats.RunAsync(
                new CheckModel { ModelPath = session.ModelPath, ByteCount = new FileInfo(session.ModelPath).Length, Operators = ["Conv", "Flatten", "Gemm", "GlobalAveragePool", "Relu"], Input = session.Input, Output = session.Output, ClassCount = session.ClassCount },
                Vetting.CheckLimits, TestContext.Current.CancellationToken);
            Assert.True(outcome.Answer is ModelChecked, $"{outcome.Code}: {outcome.Reason}");
        }
        finally
        {
            busy.Kill();
        }
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<bool> MayReadAsync(string path)
    {
        using var test = Process.Start("setpriv", [.. AsOther, "test", "-r", path]);
        await test.WaitForExitAsync(TestContext.Current.CancellationToken);
        return test.ExitCode == 0;
    }
}
