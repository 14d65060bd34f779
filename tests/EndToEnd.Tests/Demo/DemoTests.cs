using System.Diagnostics;
using System.Text.Json;
using Dunlin.TestKit;

namespace Dunlin.EndToEnd.Tests.Demo;

/// <summary><c>./build.sh demo</c> as it ships, with the programs that are built already.</summary>
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
        var start = new ProcessStartInfo("bash", ["build.sh", "demo", "--json"])
        {
            WorkingDirectory = RepositoryFolder.Root, RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["DUNLIN_DEMO_BUILT"] = RepositoryFolder.Configuration, ["TMPDIR"] = temporary },
        };
        using var demo = Process.Start(start)!;
        var errors = demo.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        using var patience = new CancellationTokenSource(Patience);
        var (committed, classified) = (false, false);
        try
        {
            while (!(committed && classified) && await demo.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
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
            using (Process.Start("kill", ["-TERM", $"{demo.Id}"])) await demo.WaitForExitAsync(patience.Token);
        }

        Assert.True(committed && classified, await errors);
        Assert.Equal(143, demo.ExitCode);
        Assert.Empty(Directory.GetFileSystemEntries(temporary, "dunlin-demo.*"));
        Assert.DoesNotContain(Directory.GetDirectories("/proc"), process => CommandLine(process).Contains(temporary, StringComparison.Ordinal));
        Directory.Delete(temporary, recursive: true);
    }

    private static string CommandLine(string process)
    {
        try
        {
            return File.ReadAllText(Path.Join(process, "cmdline"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
