using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Dunlin.TestKit.Servers;

/// <summary>What a client asked: the first line and the headers.</summary>
public sealed record ScriptedRequest(string Line, IReadOnlyDictionary<string, string> Headers)
{
    public string Path => Line.Split(' ')[1];

    /// <summary>First and last byte of a Range header; null without one.</summary>
    public (long First, long Last)? Range => Headers.TryGetValue("Range", out var range) && range.Split('=', '-') is [_, var first, var last]
        ? (long.Parse(first, System.Globalization.CultureInfo.InvariantCulture), long.Parse(last, System.Globalization.CultureInfo.InvariantCulture))
        : null;
}

/// <summary>An HTTP server whose every byte a test decides, for answers that no honest server gives. One request a connection.</summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _end = new();
    private readonly Func<ScriptedRequest, Stream, CancellationToken, Task> _answer;
    private readonly Lock _gate = new();
    private readonly List<ScriptedRequest> _requests = [];
    private readonly Task _accepting;

    public ScriptedServer(Func<ScriptedRequest, Stream, CancellationToken, Task> answer)
    {
        _answer = answer;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary><c>host:port</c>.</summary>
    public string Host => $"127.0.0.1:{Port}";

    public string Address => $"http://{Host}";

    public IReadOnlyList<ScriptedRequest> Requests { get { lock (_gate) return [.. _requests]; } }

    /// <summary>Serves one content, honestly and with ranges; <paramref name="corrupt"/> may change what is sent.</summary>
    public static ScriptedServer Serving(byte[] content, Action<long, byte[]>? corrupt = null, string? etag = "\"a\"") => new(async (request, stream, cancellationToken) =>
    {
        var (first, last) = request.Range ?? (0, content.Length - 1);
        var part = content[(int)first..((int)last + 1)];
        corrupt?.Invoke(first, part);
        await HeadAsync(stream, $"206 Partial Content\r\nContent-Range: bytes {first}-{last}/{content.Length}\r\nContent-Length: {part.Length}{(etag is null ? "" : $"\r\nETag: {etag}")}", cancellationToken);
        await stream.WriteAsync(part, cancellationToken);
    });

    /// <summary>Writes status and headers, given without the protocol and without the last empty line.</summary>
    public static async Task HeadAsync(Stream stream, string head, CancellationToken cancellationToken) =>
        await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {head}\r\nConnection: close\r\n\r\n"), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                _ = AnswerAsync(await _listener.AcceptTcpClientAsync(_end.Token), _end.Token);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(TcpClient client, CancellationToken cancellationToken)
    {
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await using var stream = client.GetStream();
                var request = await ReadAsync(stream, cancellationToken);
                lock (_gate) _requests.Add(request);
                await _answer(request, stream, cancellationToken);
                client.Client.Shutdown(SocketShutdown.Send);
            }
            catch (Exception e) when (e is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The client had enough, as it should.
            }
        }
    }

    private static async Task<ScriptedRequest> ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var head = new StringBuilder();
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one, cancellationToken) == 0) throw new IOException("The client left.");
            head.Append((char)one[0]);
        }
        var lines = head.ToString().Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        return new ScriptedRequest(lines[0], lines.Skip(1).Select(l => l.Split(": ", 2)).ToDictionary(p => p[0], p => p[1], StringComparer.OrdinalIgnoreCase));
    }
}
