using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using Dunlin.TestKit.Waiting;
using Xunit;

namespace Dunlin.TestKit.Servers;

/// <summary>A server program that a test started on a loopback port; it goes with the test.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private readonly StringBuilder _log = new();
    private readonly Process _process;

    private ServerProcess(Process process)
    {
        _process = process;
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
    }

    internal string Log { get { lock (_log) return _log.ToString(); } }

    /// <summary>Starts the program and waits until it takes connections.</summary>
    internal static async Task<ServerProcess> StartAsync(string executable, int port, params string[] arguments)
    {
        var server = new ServerProcess(Process.Start(new ProcessStartInfo(executable, arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!);
        await Eventually.TrueAsync(() => server.AcceptsConnectionsAsync(port), () => $"{executable} takes connections: {server.Log}");
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        _process.Dispose();
    }

    private async Task<bool> AcceptsConnectionsAsync(int port)
    {
        if (_process.HasExited) Assert.Fail($"The server ended at once: {Log}");
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_log) _log.AppendLine(line);
    }
}
