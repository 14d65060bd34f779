using System.Diagnostics;
using Dunlin.TestKit;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>The systemd unit itself (row 37 of the promises), by <c>systemd-analyze</c>.</summary>
public sealed class UnitTests
{
    [Fact]
    public async Task TheUnitsExposureIsAtMostTwoPointZero()
    {
        var (code, output) = await AnalyzeAsync("security", "--offline=true", "--threshold=20", "--no-pager");
        Assert.True(code == 0, output);
    }

    [Fact]
    public async Task TheUnitIsWithoutMistakes()
    {
        var (code, output) = await AnalyzeAsync("verify", "--man=no");
        Assert.True(code == 0 && output.Length == 0, output);
    }

    [Fact]
    public async Task ACrashLeavesNoCoreWithTheKeysInIt() =>
        Assert.Contains("LimitCORE=0", await File.ReadAllLinesAsync(Unit, TestContext.Current.CancellationToken));

    private static string Unit { get; } = Path.Join(RepositoryFolder.Root, "packaging/debian/dunlin-agent.service");

    private static async Task<(int, string)> AnalyzeAsync(params string[] arguments)
    {
        if (!File.Exists("/usr/bin/systemd-analyze")) Assert.Skip("systemd-analyze is not installed (Debian package systemd).");
        var folder = Directory.CreateTempSubdirectory("dunlin-unit-").FullName;
        try
        {
            // The agent is not installed here; nothing else of the unit depends on it.
            var unit = Path.Join(folder, "dunlin-agent.service");
            var text = await File.ReadAllTextAsync(Unit);
            await File.WriteAllTextAsync(unit, text.Replace("ExecStart=/usr/bin/dunlin-agent", "ExecStart=/bin/true", StringComparison.Ordinal));
            using var process = Process.Start(new ProcessStartInfo("systemd-analyze", [.. arguments, unit]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, (await output + await errors).Trim());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
