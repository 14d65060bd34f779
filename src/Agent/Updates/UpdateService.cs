using Dunlin.Telemetry.Link;
using Microsoft.Extensions.Hosting;

namespace Dunlin.Agent.Updates;

/// <summary>The engine as a service: listens to <c>root</c>, <c>fresh</c> and <c>desired</c>, and turns the loop.</summary>
internal sealed class UpdateService : BackgroundService
{
    private readonly UpdateEngine _engine;

    public UpdateService(UpdateEngine engine, MqttLink link, LinkIdentity identity, TrustedClock clock)
    {
        _engine = engine;
        link.TrustedNow = () => clock.ForTls;
        Listen(link, identity.Topics.Root, DocumentKind.Root);
        Listen(link, identity.Topics.Fresh, DocumentKind.Fresh);
        Listen(link, identity.Topics.Desired, DocumentKind.Desired);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        try
        {
            await _engine.RunAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopping is no error; the journal knows where it was.
        }
    }

    // The handler only takes a copy, so that nothing which is wrong with a document can hold the session up.
    private void Listen(MqttLink link, string topic, DocumentKind kind) => link.Subscribe(topic, message =>
    {
        _engine.Receive(kind, message.Payload.ToArray(), message.IsRetained);
        return ValueTask.FromResult(true);
    });
}
