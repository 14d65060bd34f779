using System.Net;
using System.Net.Sockets;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A server that speaks MQTT badly on purpose, to each caller in the same way.</summary>
internal sealed class EvilBroker : IAsyncDisposable
{
    /// <summary>Success, no session, no properties.</summary>
    public static readonly byte[] ConnectionAccepted = [0x20, 3, 0, 0, 0];

    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _end = new();
    private readonly Func<NetworkStream, CancellationToken, Task> _deed;
    private readonly Task _accepting;
    private int _victimCount;

    /// <param name="port">0: a free one.</param>
    /// <param name="deed">What it does after it has read CONNECT; the connection closes when it returns.</param>
    public EvilBroker(int port, Func<NetworkStream, CancellationToken, Task> deed)
    {
        _deed = deed;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public int VictimCount => Volatile.Read(ref _victimCount);

    /// <summary>The next packet of the victim: its first byte, and what follows the length.</summary>
    public static async Task<(byte First, byte[] Body)> ReadPacketAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var first = await ByteAsync();
        var length = 0;
        for (var shift = 0; ; shift += 7)
        {
            var part = await ByteAsync();
            length |= (part & 0x7f) << shift;
            if (part < 0x80) break;
        }

        var body = new byte[length];
        await stream.ReadExactlyAsync(body, cancellationToken);
        return (first, body);

        async Task<byte> ByteAsync()
        {
            var one = new byte[1];
            await stream.ReadExactlyAsync(one, cancellationToken);
            return one[0];
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        var victims = new List<Task>();
        while (!_end.IsCancellationRequested)
        {
            try
            {
                victims.Add(TreatAsync(await _listener.AcceptTcpClientAsync(_end.Token)));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                break;
            }
        }

        await Task.WhenAll(victims);
    }

    private async Task TreatAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                var stream = client.GetStream();
                await stream.ReadAtLeastAsync(new byte[2048], 14, throwOnEndOfStream: false, _end.Token);
                await _deed(stream, _end.Token);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The victim has had enough.
            }
            finally
            {
                Interlocked.Increment(ref _victimCount);
            }
        }
    }
}
