using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;
using System.Text;

namespace Dunlin.Bench.Processes;

/// <summary>
/// Counts the messages on a topic: just enough MQTT 3.1.1 (OASIS, 2014) for that. While it counts it reads what has
/// gathered in the socket in turns of 20 ms, so that it takes next to no CPU time from what it measures.
/// </summary>
internal sealed class ResultSubscriber : IDisposable
{
    private const byte Publish = 3;
    private static readonly TimeSpan Turn = TimeSpan.FromMilliseconds(20);
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = 1 << 20 };
    private readonly byte[] _bytes = new byte[1 << 20];
    private int _start;
    private int _end;

    /// <summary>Messages so far.</summary>
    public long Count { get; private set; }

    /// <summary>Stopwatch timestamp of the first message.</summary>
    public long FirstTimestamp { get; private set; }

    public static async Task<ResultSubscriber> ConnectAsync(int port, string filter)
    {
        var subscriber = new ResultSubscriber();
        await subscriber._socket.ConnectAsync("127.0.0.1", port);
        await subscriber._socket.SendAsync(Packet(0x10, [.. Text("MQTT"), 4, 2, 0, 0, .. Text($"bench-{Guid.NewGuid():N}"[..20])]));
        await subscriber._socket.SendAsync(Packet(0x82, [0, 1, .. Text(filter), 0]));
        return subscriber;
    }

    /// <summary>Waits for the next message that arrives from now on.</summary>
    /// <returns>Its Stopwatch timestamp.</returns>
    public async Task<long> NextAsync(TimeSpan within, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(within);
        Drain();
        var before = Count;
        try
        {
            while (Count == before) await ReceiveAsync(patience.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"No result arrived within {within.TotalSeconds:0} s.");
        }

        return Stopwatch.GetTimestamp();
    }

    /// <summary>Counts for a while; messages per second.</summary>
    public async Task<(long Messages, double Seconds)> CountAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(Turn);
        await DrainAtTurnAsync(timer, cancellationToken);
        var (before, start) = (Count, Stopwatch.GetTimestamp());
        while (Stopwatch.GetElapsedTime(start) < duration) await DrainAtTurnAsync(timer, cancellationToken);
        return (Count - before, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    public void Dispose() => _socket.Dispose();

    private async Task DrainAtTurnAsync(PeriodicTimer timer, CancellationToken cancellationToken)
    {
        await timer.WaitForNextTickAsync(cancellationToken);
        Drain();
    }

    private void Drain()
    {
        while (_socket.Available > 0)
        {
            MakeRoom();
            _end += _socket.Receive(_bytes.AsSpan(_end));
            Take();
        }
    }

    private async Task ReceiveAsync(CancellationToken cancellationToken)
    {
        MakeRoom();
        var count = await _socket.ReceiveAsync(_bytes.AsMemory(_end), cancellationToken);
        if (count == 0) throw new IOException("The broker closed the connection.");
        _end += count;
        Take();
    }

    private void Take()
    {
        while (Length() is { } length && _end - _start >= length)
        {
            if (_bytes[_start] >> 4 == Publish)
            {
                if (Count++ == 0) FirstTimestamp = Stopwatch.GetTimestamp();
            }

            _start += length;
        }
    }

    /// <summary>Bytes of the packet that begins here; null if its header is not here yet.</summary>
    private int? Length()
    {
        var (value, shift) = (0, 0);
        for (var at = _start + 1; at < _end && shift <= 21; at++, shift += 7)
        {
            value |= (_bytes[at] & 127) << shift;
            if (_bytes[at] < 128) return at + 1 - _start + value;
        }

        return null;
    }

    private void MakeRoom()
    {
        if (_start == 0) return;
        _bytes.AsSpan(_start.._end).CopyTo(_bytes);
        (_start, _end) = (0, _end - _start);
    }

    private static byte[] Packet(byte type, byte[] body) => [type, (byte)body.Length, .. body];

    private static byte[] Text(string text)
    {
        var bytes = new byte[2 + Encoding.UTF8.GetByteCount(text)];
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(bytes.Length - 2));
        Encoding.UTF8.GetBytes(text, bytes.AsSpan(2));
        return bytes;
    }
}
