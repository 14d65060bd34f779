using System.Diagnostics;
using System.Net.Sockets;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;
using Xunit;

namespace Dunlin.TestKit.Servers;

/// <summary>A server program that a test starts on a loopback port; it goes with the test.</summary>
internal static class ServerProcess
{
    /// <summary>Starts the program and waits until it takes connections.</summary>
    internal static async Task<RunningProgram> StartAsync(string executable, int port, params string[] arguments)
    {
        var server = new RunningProgram(new ProcessStartInfo(executable, arguments));
        await Eventually.TrueAsync(() => AcceptsConnectionsAsync(server, port), () => $"{executable} takes connections: {server.Log}");
        return server;
    }

    private static async Task<bool> AcceptsConnectionsAsync(RunningProgram server, int port)
    {
        if (server.HasExited) Assert.Fail($"The server ended at once: {server.Log}");
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
}
