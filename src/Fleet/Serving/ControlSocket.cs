using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// The one writer's ear: a Unix socket in the state folder, which only its owner can enter. It greets each caller, and
/// then answers one request; who was greeted is served to the end, who was not may ask elsewhere.
/// </summary>
internal sealed class ControlSocket : IAsyncDisposable
{
    private const string FileName = "serve.sock";
    private const int MaximumPathLength = 107, Backlog = 64;
    private static readonly TimeSpan RequestPatience = TimeSpan.FromSeconds(5), AcceptRetry = TimeSpan.FromMilliseconds(200);
    private readonly Socket _listener;
    private readonly string _path;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    /// <summary>Listens at once. The caller holds the <see cref="WriterLease"/>, so an old socket file is a leftover.</summary>
    public ControlSocket(string folder, FleetServer server)
    {
        _path = PathIn(folder);
        File.Delete(_path);
        _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        _listener.Bind(new UnixDomainSocketEndPoint(_path));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        _listener.Listen(Backlog);
        _running = AcceptAsync(server, _stop.Token);
    }

    /// <summary>The first byte to a caller.</summary>
    internal static ReadOnlyMemory<byte> Greeting { get; } = new byte[] { (byte)'\n' };

    internal static string PathIn(string folder)
    {
        var path = Path.Combine(Path.GetFullPath(folder), FileName);
        return Encoding.UTF8.GetByteCount(path) <= MaximumPathLength
            ? path
            : throw new FleetException(ExitCodes.CannotCreate, $"The path '{path}' is longer than a Unix socket's may be ({MaximumPathLength} bytes); name a shorter folder with --state.");
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        File.Delete(_path);
        _stop.Dispose();
    }

    private async Task AcceptAsync(FleetServer server, CancellationToken cancellationToken)
    {
        var calls = new List<Task>();
        try
        {
            while (true)
            {
                if (await TryAcceptAsync(cancellationToken) is { } caller) calls.Add(ServeAsync(server, caller));
                calls.RemoveAll(call => call.IsCompleted);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            await Task.WhenAll(calls);
        }
    }

    private async Task<Socket?> TryAcceptAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await _listener.AcceptAsync(cancellationToken);
        }
        catch (SocketException) when (!cancellationToken.IsCancellationRequested)
        {
            // It is out of descriptors or memory: callers wait until it has some.
            await Task.Delay(AcceptRetry, cancellationToken);
            return null;
        }
    }

    private static async Task ServeAsync(FleetServer server, Socket caller)
    {
        await using var stream = new NetworkStream(caller, ownsSocket: true);
        using var patience = new CancellationTokenSource(RequestPatience);
        try
        {
            await stream.WriteAsync(Greeting, patience.Token);
            using var reader = new StreamReader(stream, Encoding.UTF8, leaveOpen: true);
            var request = JsonSerializer.Deserialize(await reader.ReadLineAsync(patience.Token) ?? "null", FleetJson.Default.ControlRequest);
            var answer = request is null ? new ControlAnswer(ExitCodes.InputMissing, "The request is empty.") : await server.AnswerOthersAsync(request, CancellationToken.None);
            await stream.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(answer, FleetJson.Default.ControlAnswer), CancellationToken.None);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or JsonException)
        {
            // The caller sees a closed connection, and asks again.
        }
    }
}
