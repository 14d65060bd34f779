using System.Diagnostics;
using System.Net.Sockets;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Bench.Processes;

/// <summary>Debian's Mosquitto on a free loopback port, which logs errors only: a log line per message would be measured as well.</summary>
internal sealed class Broker : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-bench-broker-").FullName;
    private Process? _process;

    public int Port { get; } = Ports.Free();

    public static async Task<Broker> StartAsync()
    {
        var broker = new Broker();
        var configuration = Path.Combine(broker._folder, "mosquitto.conf");
        await File.WriteAllTextAsync(configuration, $"""
            user root
            listener {broker.Port} 127.0.0.1
            allow_anonymous true
            log_type error
            set_tcp_nodelay true
            persistence false
            max_queued_messages 0

            """);
        broker._process = Process.Start("/usr/sbin/mosquitto", ["-c", configuration]);
        await Eventually.TrueAsync(broker.AnswersAsync, "Mosquitto takes connections", TimeSpan.FromSeconds(10));
        return broker;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            await _process.WaitForExitAsync();
        }

        _process?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
