using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A broker with a keep-alive of its own, which it tells in CONNACK.</summary>
public sealed class ServerKeepAliveTests
{
    [Fact]
    public async Task ADeviceThatWouldBeSilentForLongerPingsInTimeAndKeepsItsConnection()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Extra = "max_keepalive 10" });
        // No ping is answered at once.
        await using var wire = new FaultyLink(broker.Host, broker.Port) { Delay = TimeSpan.FromMilliseconds(20) };
        var options = TestLink.To(broker);
        (options.Host, options.Port, options.KeepAliveSeconds) = (wire.Host, wire.Port, 3600);
        var time = new FakeTimeProvider();
        await using var link = await new TestLink(options, time: time).StartAsync();
        await link.ConnectedAsync();
        // Far less than half of the device's own hour passes meanwhile.
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(50));
            return broker.Log.Split("Received PINGREQ").Length > 2;
        }, () => $"it pings: {link.Link.State}");
        Assert.Equal((true, 1), (link.Link.State.IsConnected, link.Link.State.ConnectCount));
    }
}
