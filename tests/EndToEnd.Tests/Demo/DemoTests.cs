using System.Diagnostics;
using System.Text.Json;
using Dunlin.TestKit;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Demo;

/// <summary><c>./build.sh demo</c> as it ships, at a terminal, with the programs that are built already.</summary>
public sealed class DemoTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(240);

    [Fact]
    public async Task TheDemoShowsResultsOfAPushedReleaseAndLeavesNothingBehind()
    {
        if (!Directory.Exists("/usr/share/datasets/fashion-mnist")) Assert.Skip("The Debian package dataset-fashion-mnist is not installed.");
        foreach (var program in (string[])[RepositoryFolder.Program("Optimizer", "dunlin-optimizer"), RepositoryFolder.Program("Fleet", "dunlin-fleet"), RepositoryFolder.Program("Agent", "dunlin-agent")])
            if (!File.Exists(program)) Assert.Skip($"'{program}' is not built: run ./build.sh build.");
        var temporary = Directory.CreateTempSubdirectory("dunlin-demo-test-").FullName;
        // Who runs the tests in the background of a shell hands on that SIGINT is ignored.
        var start = new ProcessStartInfo("env", ["--default-signal=INT", "script", "-qec", "bash build.sh demo --json", "/dev/null"])
        {
            WorkingDirectory = RepositoryFolder.Root, RedirectStandardInput = true, RedirectStandardOutput = true,
            Environment = { ["DUNLIN_DEMO_BUILT"] = RepositoryFolder.Configuration, ["TMPDIR"] = temporary },
        };
        using var demo = Process.Start(start)!;
        var said = new List<string>();
        using var patience = new CancellationTokenSource(Patience);
        var (committed, classified) = (false, false);
        try
        {
            while (!(committed && classified) && await demo.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                said.Add(line);
                if (!line.StartsWith('{')) continue;
                using var message = JsonDocument.Parse(line);
                Assert.Equal("belt-1", message.RootElement.GetProperty("device").GetString());
                var content = message.RootElement.GetProperty("message");
                committed |= content.TryGetProperty("update", out var update) && update.GetProperty("state").GetString() == "committed"
                    && content.GetProperty("release").GetProperty("isSigned").GetBoolean();
                classified |= message.RootElement.GetProperty("kind").GetString() == "result";
            }
        }
        finally
        {
            if (!demo.HasExited) await demo.StandardInput.WriteAsync('\x3');
            await demo.StandardInput.FlushAsync(CancellationToken.None);
            // A patience of its own: it is to end also where it took too long before.
            using var ending = new CancellationTokenSource(Eventually.Patience);
            // Whoever writes to a terminal that nobody reads waits.
            _ = demo.StandardOutput.ReadToEndAsync(ending.Token);
            await demo.WaitForExitAsync(ending.Token);
        }

        Assert.True(committed && classified, string.Join('\n', said));
        Assert.Equal(130, demo.ExitCode);
        Assert.Contains(said, line => line.Contains("mosquitto_sub -p ", StringComparison.Ordinal));
        Assert.Empty(Directory.GetFileSystemEntries(temporary, "dunlin-demo.*"));
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), process => Of(process, "cmdline").Contains(temporary, StringComparison.Ordinal) || Of(process, "environ").Contains(temporary, StringComparison.Ordinal));
        Directory.Delete(temporary, recursive: true);
    }

    private static string Of(string process, string file)
    {
        try
        {
            return File.ReadAllText(Path.Join(process, file));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
