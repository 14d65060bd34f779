using System.Diagnostics;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Packages;

/// <summary>A small Debian with real systemd, booted by <c>packaging/nspawn.sh</c>; gone with all its changes when disposed.</summary>
internal sealed class SystemdContainer : IAsyncDisposable
{
    private readonly string _script, _name;
    private readonly Process _boot;

    private SystemdContainer(string script, string name, Process boot) => (_script, _name, _boot) = (script, name, boot);

    public static async Task<SystemdContainer> BootAsync(string repository)
    {
        var script = Path.Join(repository, "packaging", "nspawn.sh");
        var name = Directory.CreateTempSubdirectory("dunlin-systemd-").FullName;
        var boot = Process.Start(new ProcessStartInfo(script, ["boot", name]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        boot.BeginOutputReadLine();
        boot.BeginErrorReadLine();
        var container = new SystemdContainer(script, name, boot);
        await Eventually.TrueAsync(async () => (await container.TryRunAsync("systemctl", "is-system-running")).Output is "running" or "degraded", "systemd has booted", TimeSpan.FromSeconds(60));
        return container;
    }

    /// <summary>Runs a command and gives what it printed; fails the test if it ends with another code than 0.</summary>
    public async Task<string> RunAsync(params string[] command)
    {
        var (code, output) = await TryRunAsync(command);
        Assert.True(code == 0, $"'{string.Join(' ', command)}' ended with {code}: {output}");
        return output;
    }

    public Task<(int ExitCode, string Output)> TryRunAsync(params string[] command) => StartAsync(["exec", _name, .. command]);

    /// <summary>Runs a shell line.</summary>
    public Task<string> ShellAsync(string line) => RunAsync("sh", "-c", line);

    public async Task CopyAsync(string file, string to)
    {
        var (code, output) = await StartAsync(["copy", _name, file, to]);
        Assert.True(code == 0, $"'{file}' could not be copied: {output}");
    }

    public async ValueTask DisposeAsync()
    {
        await StartAsync(["stop", _name]);
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        try { await _boot.WaitForExitAsync(patience.Token); }
        catch (OperationCanceledException) { _boot.Kill(entireProcessTree: true); }
        _boot.Dispose();
        Directory.Delete(_name, recursive: true);
    }

    private async Task<(int, string)> StartAsync(string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(_script, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, (await output + await errors).Trim());
    }
}
