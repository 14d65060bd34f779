using System.Net;
using System.Net.Sockets;

namespace Dunlin.TestKit.Brokers;

/// <summary>A TCP proxy on loopback that can break: cut, swallow everything, or delay.</summary>
public sealed class FaultyLink : IAsyncDisposable
{
    /// <summary>Little waits in the kernel: what has left here has nearly arrived.</summary>
    private const int BufferSize = 65536;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Lock _gate = new();
    private readonly List<TcpClient> _sockets = [];
    private readonly string _targetHost;
    private readonly int _targetPort;
    private readonly Task _accepting;
    private int _connectionCount;
    private long _byteCount;

    /// <summary>Starts to listen and forwards each connection to the target.</summary>
    public FaultyLink(string targetHost, int targetPort)
    {
        (_targetHost, _targetPort) = (targetHost, targetPort);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Host { get; } = "127.0.0.1";
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes are taken from both sides and thrown away; connections stay open, new ones are accepted.</summary>
    public bool IsBlackHole { get; set; }

    /// <summary>New connections are closed at once.</summary>
    public bool IsRefusing { get; set; }

    /// <summary>Added to every block of bytes each way.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>So many bytes a second come from the target; null: as many as there are.</summary>
    public int? BytesPerSecond { get; set; }

    /// <summary>Each connection ends after so many bytes from the target; null: none does.</summary>
    public int? CutAfterByteCount { get; set; }

    /// <summary>Bytes from the target that were passed on.</summary>
    public long ByteCount => Volatile.Read(ref _byteCount);

    /// <summary>Connections accepted so far.</summary>
    public int ConnectionCount => Volatile.Read(ref _connectionCount);

    /// <summary>Resets all connections.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var socket in _sockets)
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }

            _sockets.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        Cut();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var near = await _listener.AcceptTcpClientAsync(_end.Token);
                Interlocked.Increment(ref _connectionCount);
                if (IsRefusing) near.Dispose();
                else _ = ForwardAsync(near);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task ForwardAsync(TcpClient near)
    {
        var far = new TcpClient { NoDelay = true };
        near.NoDelay = true;
        near.SendBufferSize = BufferSize;
        try
        {
            await far.ConnectAsync(_targetHost, _targetPort, _end.Token);
            lock (_gate) _sockets.AddRange([near, far]);
            await Task.WhenAny(CopyAsync(near.GetStream(), far.GetStream(), isAnswer: false), CopyAsync(far.GetStream(), near.GetStream(), isAnswer: true));
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The link broke, which is what it is for.
        }
        finally
        {
            Close(near, far);
        }
    }

    /// <summary>Under the gate: what <see cref="Cut"/> finds in its list is open.</summary>
    private void Close(TcpClient near, TcpClient far)
    {
        lock (_gate)
        {
            _sockets.Remove(near);
            _sockets.Remove(far);
            near.Dispose();
            far.Dispose();
        }
    }

    private async Task CopyAsync(NetworkStream from, NetworkStream to, bool isAnswer)
    {
        try
        {
            var buffer = new byte[BufferSize];
            var left = isAnswer ? CutAfterByteCount ?? long.MaxValue : long.MaxValue;
            while (await from.ReadAsync(buffer, _end.Token) is var count and > 0)
            {
                if (IsBlackHole) continue;
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay, _end.Token);
                if (isAnswer && BytesPerSecond is { } rate) await Task.Delay(TimeSpan.FromSeconds((double)count / rate), _end.Token);
                var part = (int)Math.Min(count, left);
                await to.WriteAsync(buffer.AsMemory(0, part), _end.Token);
                if (isAnswer) Interlocked.Add(ref _byteCount, part);
                if ((left -= part) == 0) return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // The other direction ends with this one.
        }
    }
}
