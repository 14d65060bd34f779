using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Dunlin.Telemetry.Tests.Link;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Telemetry.Tests.Outbox;

/// <summary>Link and outbox as the agent makes them.</summary>
internal sealed class TestOutbox : IAsyncDisposable
{
    public TestOutbox(MqttOptions options, string folder, TimeProvider? time = null)
    {
        Link = new TestLink(options, time: time);
        Outbox = new MessageOutbox(
            new OutboxDirectories(Path.Combine(folder, "outcomes"), Path.Combine(folder, "telemetry")), Link.Link, Link.Identity, options,
            new LoopTicks(Link.Time), Link.Time, NullLogger<MessageOutbox>.Instance);
    }

    public TestLink Link { get; }
    public MessageOutbox Outbox { get; }

    public async Task<TestOutbox> StartAsync()
    {
        await Outbox.StartAsync(CancellationToken.None);
        await Link.StartAsync();
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await Outbox.StopAsync(CancellationToken.None);
        Outbox.Dispose();
        await Link.DisposeAsync();
    }
}
