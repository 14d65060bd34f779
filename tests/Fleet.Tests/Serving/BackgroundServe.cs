using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Fleet.Tests.Serving;

/// <summary><c>serve</c> until disposed, which is Ctrl-C.</summary>
internal sealed class BackgroundServe : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task<(int Code, string Output, string Errors)> _running;

    private BackgroundServe(Desk desk, params string[] arguments) => _running = Task.Run(() => desk.CallAsync(_stop.Token, arguments));

    public int? ExitCode { get; private set; }

    /// <summary>Returns when it listens, which is before it is connected.</summary>
    public static async Task<BackgroundServe> StartAsync(Desk desk, MosquittoBroker broker)
    {
        var serve = new BackgroundServe(desk, "serve", "--keys", desk.Keys, "--broker", broker.Address);
        await Eventually.TrueAsync(() => File.Exists(Path.Combine(desk.Keys, "state", "serve.sock")), "serve listens");
        return serve;
    }

    public async ValueTask DisposeAsync()
    {
        if (ExitCode is not null) return;
        await _stop.CancelAsync();
        ExitCode = (await _running).Code;
        _stop.Dispose();
    }
}
