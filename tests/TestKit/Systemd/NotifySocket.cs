using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;

namespace Dunlin.TestKit.Systemd;

/// <summary>The service manager's end of <c>NOTIFY_SOCKET</c>: keeps every datagram.</summary>
public sealed class NotifySocket : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly ConcurrentQueue<string> _messages = new();

    public NotifySocket()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), $"dunlin-notify-{Guid.NewGuid():N}");
        _socket.Bind(new UnixDomainSocketEndPoint(Path));
        _ = ReceiveAsync();
    }

    /// <summary>The value for <c>NOTIFY_SOCKET</c>.</summary>
    public string Path { get; }

    public IReadOnlyList<string> Messages => [.. _messages];

    public int CountOf(string message) => _messages.Count(m => m == message);

    public void Dispose()
    {
        _socket.Dispose();
        File.Delete(Path);
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[4096];
        try
        {
            while (true) _messages.Enqueue(Encoding.UTF8.GetString(buffer, 0, await _socket.ReceiveAsync(buffer)));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }
}
