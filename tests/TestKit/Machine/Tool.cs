using System.Diagnostics;
using Xunit;

namespace Dunlin.TestKit.Machine;

/// <summary>Runs programs of the machine, as independent judges.</summary>
public static class Tool
{
    /// <summary>Skips the test where a program is absent.</summary>
    public static void SkipUnlessInstalled(params string[] names)
    {
        foreach (var name in names)
        {
            var paths = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin");
            if (!paths.Any(p => File.Exists(Path.Combine(p, name)))) Assert.Skip($"'{name}' is not installed; ./build.sh test installs it.");
        }
    }

    /// <summary>Its exit code, where what it says does not matter.</summary>
    public static int Run(string name, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        process.WaitForExit();
        return process.ExitCode;
    }

    /// <summary>Its exit code, and what it wrote to both streams.</summary>
    public static async Task<(int ExitCode, string Output)> RunAsync(string name, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(name, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var cancellation = TestContext.Current.CancellationToken;
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var error = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        return (process.ExitCode, await output + await error);
    }

    /// <summary>Fails the test unless it ends with 0.</summary>
    public static async Task<string> SucceedAsync(string name, params string[] arguments)
    {
        var (code, output) = await RunAsync(name, arguments);
        Assert.True(code == 0, $"{name} {string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }
}
