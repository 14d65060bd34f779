using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.Telemetry.Liveness;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A link as the agent makes it, with short patience.</summary>
internal sealed class TestLink : IAsyncDisposable
{
    internal static readonly LinkTiming Impatient = new()
    {
        BackoffBase = TimeSpan.FromMilliseconds(50),
        BackoffMaximum = TimeSpan.FromMilliseconds(300),
        StablePeriod = TimeSpan.FromSeconds(2),
        Timeout = TimeSpan.FromSeconds(3),
        WillDelay = TimeSpan.FromSeconds(1),
    };

    public TestLink(MqttOptions options, string device = "belt-1", LinkTiming? timing = null, TimeProvider? time = null)
    {
        Options = options;
        Time = time ?? TimeProvider.System;
        Identity = new LinkIdentity(new Topics("demo", device), Guid.NewGuid().ToString("N"), "0.1.0", Board);
        Ticks = new LoopTicks(Time);
        Link = new MqttLink(Identity, options, Ticks, Time, NullLogger<MqttLink>.Instance, timing ?? Impatient);
    }

    public static Hardware Board { get; } = new()
    {
        Model = "Test board", CpuModel = "Test CPU", Architecture = "x64", Cores = 2, MemoryByteCount = 1 << 30, Kernel = "6.1", OperatingSystem = "Debian 12",
    };

    public MqttOptions Options { get; }
    public TimeProvider Time { get; }
    public LoopTicks Ticks { get; }
    public LinkIdentity Identity { get; }
    public MqttLink Link { get; }
    public Topics Topics => Identity.Topics;

    public static MqttOptions To(MosquittoBroker broker) => new() { Host = broker.Host, Port = broker.Port, KeepAliveSeconds = 2 };

    public async Task<TestLink> StartAsync()
    {
        await Link.StartAsync(CancellationToken.None);
        return this;
    }

    public Task ConnectedAsync() => Eventually.TrueAsync(() => Link.State.IsConnected, () => "the link is connected; it says: " + Link.State.Detail);

    public Task LostAsync(string part = "") => Eventually.TrueAsync(
        () => !Link.State.IsConnected && Link.State.Detail.Contains(part, StringComparison.Ordinal), () => $"the link is lost and says '{part}'; it says: {Link.State.Detail}");

    public async ValueTask DisposeAsync()
    {
        await Link.StopAsync(CancellationToken.None);
        Link.Dispose();
    }
}
