using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Dunlin.Fleet.Serving;

/// <summary>
/// The way of a command to the fleet's one writer: to the process that is it, over its socket, or by becoming it for as
/// long as this object lives. So two pushes at once are safe, and either may end first.
/// </summary>
internal sealed class Writer(string folder, Func<FleetServer> newServer, TimeProvider time) : IAsyncDisposable
{
    private static readonly TimeSpan Retry = TimeSpan.FromMilliseconds(50), Patience = TimeSpan.FromSeconds(15), BrokerPatience = TimeSpan.FromSeconds(10);
    private WriterLease? _lease;
    private FleetServer? _server;
    private ControlSocket? _socket;

    /// <summary>This process is the writer.</summary>
    public bool IsServing => _server is not null;

    /// <summary>Becomes the writer unless another process is; true if this one is it.</summary>
    /// <exception cref="FleetException">The broker is not to be had.</exception>
    public async Task<bool> TryServeAsync(CancellationToken cancellationToken)
    {
        if (_server is not null) return true;
        if (WriterLease.TryTake(folder) is not { } lease) return false;
        FleetServer? server = null;
        try
        {
            server = newServer();
            server.Start();
            await server.WaitConnectedAsync(BrokerPatience, cancellationToken);
            _socket = new ControlSocket(folder, server);
        }
        catch
        {
            // This is no writer: whoever asks next may be one.
            if (server is not null) await server.DisposeAsync();
            lease.Dispose();
            throw;
        }

        (_lease, _server) = (lease, server);
        return true;
    }

    /// <exception cref="FleetException">It was refused, or the writer does not answer.</exception>
    public async Task<ControlAnswer> AskAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            if (await TryServeAsync(cancellationToken)) return await _server!.AnswerAsync(request, cancellationToken);
            if (await TryCallAsync(request, cancellationToken) is { } answer)
                return answer.ExitCode == ExitCodes.Ok ? answer : throw new FleetException(answer.ExitCode, answer.Error ?? "The fleet's writer refused without a reason.");
            if (time.GetElapsedTime(started) > Patience)
                throw new FleetException(ExitCodes.Busy, $"Another dunlin-fleet holds '{folder}' and does not answer; look at the process whose number is in serve.lock.");
            await Task.Delay(Retry, time, cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_socket is not null) await _socket.DisposeAsync();
        if (_server is not null) await _server.DisposeAsync();
        _lease?.Dispose();
    }

    // Issuing is not repeated once the request was sent: the writer may have done it.
    private async Task<ControlAnswer?> TryCallAsync(ControlRequest request, CancellationToken cancellationToken)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(ControlSocket.PathIn(folder)), cancellationToken);
        }
        catch (SocketException)
        {
            return null;
        }

        await using var stream = new NetworkStream(socket, ownsSocket: false);
        if (!await IsGreetedAsync(stream, cancellationToken)) return null;
        try
        {
            await stream.WriteAsync(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(request, FleetJson.Default.ControlRequest) + "\n"), cancellationToken);
            return await JsonSerializer.DeserializeAsync(stream, FleetJson.Default.ControlAnswer, cancellationToken) ?? throw new JsonException("null");
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            throw new FleetException(ExitCodes.Busy, "The dunlin-fleet that serves ended in the middle of this request; look with 'dunlin-fleet watch' at what the devices got, and run the command again.", e);
        }
    }

    private async Task<bool> IsGreetedAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            return await stream.ReadAsync(new byte[ControlSocket.Greeting.Length], either.Token) > 0;
        }
        catch (Exception e) when (e is IOException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return false;
        }
    }
}
