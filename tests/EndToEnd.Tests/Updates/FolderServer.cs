using System.Net;
using Dunlin.TestKit.Servers;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>A folder over plain HTTP on loopback, with single ranges, as slow as a test wants it.</summary>
internal sealed class FolderServer : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly string _root;
    private readonly Task _serving;

    public FolderServer(string root)
    {
        Directory.CreateDirectory(root);
        _root = root;
        Address = $"http://localhost:{Ports.Free()}";
        _listener.Prefixes.Add($"{Address}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public string Address { get; }

    /// <summary>Requests are answered with 503 while it is false.</summary>
    public bool IsOpen { get; set; } = true;

    /// <summary>Bytes a second of each answer; 0: as fast as it goes.</summary>
    public int BytesPerSecond { get; set; }

    public async ValueTask DisposeAsync()
    {
        // Not stopped before: closing what is stopped binds the port once more, which another may have by now.
        _listener.Close();
        await _serving;
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            try
            {
                var context = await _listener.GetContextAsync();
                _ = AnswerAsync(context);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var response = context.Response;
        try
        {
            var path = Path.Combine(_root, context.Request.Url!.AbsolutePath.TrimStart('/'));
            if (!IsOpen || !File.Exists(path))
            {
                response.StatusCode = IsOpen ? 404 : 503;
                response.Close();
                return;
            }

            var bytes = await File.ReadAllBytesAsync(path);
            var (from, to) = (0, bytes.Length - 1);
            if (context.Request.Headers["Range"] is { } range)
            {
                var parts = range["bytes=".Length..].Split('-');
                from = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
                if (parts[1].Length > 0) to = Math.Min(to, int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture));
                response.StatusCode = 206;
                response.Headers["Content-Range"] = $"bytes {from}-{to}/{bytes.Length}";
            }

            response.Headers["ETag"] = $"\"{Path.GetFileName(path)}\"";
            response.ContentLength64 = to - from + 1;
            var piece = BytesPerSecond == 0 ? bytes.Length : Math.Max(1, BytesPerSecond / 10);
            for (var at = from; at <= to; at += piece)
            {
                await response.OutputStream.WriteAsync(bytes.AsMemory(at, Math.Min(piece, to - at + 1)));
                if (BytesPerSecond > 0) await Task.Delay(100);
            }

            response.Close();
        }
        catch (Exception e) when (e is HttpListenerException or IOException or ObjectDisposedException)
        {
            response.Abort();
        }
    }
}
