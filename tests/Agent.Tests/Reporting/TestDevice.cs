using Dunlin.Agent.Reporting;
using Dunlin.Agent.Systemd;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.Telemetry.Outbox;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Logs;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Agent.Tests.Reporting;

/// <summary>A device's link and outbox on a real broker, and a probe that sees what it publishes.</summary>
internal sealed class TestDevice : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();

    private TestDevice(MosquittoBroker broker, MqttProbe probe, string? outbox)
    {
        (Broker, Probe) = (broker, probe);
        var options = new MqttOptions { Host = broker.Host, Port = broker.Port };
        Link = new MqttLink(Identity, options, Ticks, TimeProvider.System, LinkLog);
        outbox ??= _folder.Path;
        Outbox = new MessageOutbox(
            new OutboxDirectories(Path.Combine(outbox, "outcomes"), Path.Combine(outbox, "telemetry")), Link, Identity, options, Ticks, TimeProvider.System,
            OutboxLog);
        Report = new DeviceReport(Link, Identity, Sequence, Status, TimeProvider.System);
    }

    public MosquittoBroker Broker { get; }
    public MqttProbe Probe { get; }
    public LoopTicks Ticks { get; } = new(TimeProvider.System);
    public Lines<MqttLink> LinkLog { get; } = new();
    public Lines<MessageOutbox> OutboxLog { get; } = new();
    public MqttLink Link { get; }
    public MessageOutbox Outbox { get; }
    public MessageSequence Sequence { get; } = new();
    public ServiceStatusText Status { get; } = new();
    public DeviceReport Report { get; }

    public LinkIdentity Identity { get; } = new(new Topics("demo", "belt-1"), "0123456789abcdef", "0.1.0", new Hardware
    {
        Model = "Test board", CpuModel = "Test CPU", Architecture = "x64", Cores = 2, MemoryByteCount = 1 << 30, Kernel = "6.1", OperatingSystem = "Debian 12",
    });

    /// <param name="outbox">Where the outbox lies; null: in a folder of its own.</param>
    public static async Task<TestDevice> StartAsync(string? outbox = null)
    {
        var broker = await MosquittoBroker.StartAsync();
        var device = new TestDevice(broker, await MqttProbe.ConnectAsync(broker, "dunlin/v1/#"), outbox);
        await device.Link.StartAsync(CancellationToken.None);
        await Eventually.TrueAsync(() => device.Link.State.IsConnected, () => $"the link is connected; it says: {device.Link.State.Detail}");
        return device;
    }

    /// <summary>The newest message of a topic, once it fits.</summary>
    public async Task<ProbedMessage> NewestAsync(string topic, Func<ProbedMessage, bool> fits)
    {
        ProbedMessage? newest = null;
        await Eventually.TrueAsync(
            () => (newest = Probe.Messages.LastOrDefault(message => message.Topic == topic)) is not null && fits(newest), () => $"{topic} fits; it is {newest?.Text}");
        return newest!;
    }

    public async ValueTask DisposeAsync()
    {
        await Link.StopAsync(CancellationToken.None);
        Link.Dispose();
        Outbox.Dispose();
        await Probe.DisposeAsync();
        await Broker.DisposeAsync();
        _folder.Dispose();
    }
}
