using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Dunlin.Fleet.Connecting;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;
using MQTTnet;
using MQTTnet.Packets;

namespace Dunlin.Fleet.Tests.Connecting;

public sealed class BrokerLinkTests
{
    private readonly ConcurrentQueue<string> _said = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task WhatIsPublishedAtEachConnectionHoldsUpNobodyWhoWaitsForTheConnection()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var link = Link(broker.Port);
        link.Connected = token => Task.Delay(Timeout.InfiniteTimeSpan, token);
        link.Start();
        await link.WaitConnectedAsync(Eventually.Patience, Token);
        Assert.Null(link.Trouble);
        Assert.True(await link.TryRetainAsync("a", "1"u8.ToArray(), Token));
    }

    [Fact]
    public async Task ABrokerThatSaysNothingIsNamed()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        broker.Freeze();
        await using var link = Link(broker.Port);
        link.Start();
        var refusal = await Assert.ThrowsAsync<FleetException>(() => link.WaitConnectedAsync(TimeSpan.FromMilliseconds(200), Token));
        Assert.Contains("Broker localhost has not answered yet", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WhatFailsAtAConnectionEndsItAndTheNextIsTried()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var link = Link(broker.Port);
        var count = 0;
        link.Connected = _ => ++count < 3 ? throw new FleetException(66, $"Failure {count}.") : Task.CompletedTask;
        link.Note = _said.Enqueue;
        link.Start();
        await Eventually.TrueAsync(() => count == 3, "the third connection");
        Assert.Equal(["Failure 1.", "Failure 2."], _said.Where(sentence => sentence.StartsWith("Failure", StringComparison.Ordinal)));
        await link.WaitConnectedAsync(Eventually.Patience, Token);
    }

    [Fact]
    public async Task ABrokerThatThrowsOutWhoeverItLetInIsTriedEverMoreSeldom()
    {
        using var broker = new TcpListener(IPAddress.Loopback, 0);
        broker.Start();
        await using var link = Link(((IPEndPoint)broker.LocalEndpoint).Port);
        link.Start();
        var (thrownOut, pause) = (0L, TimeSpan.Zero);
        for (var i = 0; i < 5; i++)
        {
            using var caller = await broker.AcceptTcpClientAsync(Token);
            pause = Stopwatch.GetElapsedTime(thrownOut);
            await caller.GetStream().ReadExactlyAsync(new byte[1], Token);
            await caller.GetStream().WriteAsync(new byte[] { 0x20, 3, 0, 0, 0 }, Token);
            await link.WaitConnectedAsync(Eventually.Patience, Token);
            thrownOut = Stopwatch.GetTimestamp();
        }

        Assert.InRange(pause.TotalSeconds, 1, 60);
    }

    [Fact]
    public async Task WhatIsLargerThanTheBrokerTakesIsRefusedUnsentAndToldOf()
    {
        const int limit = 2000;
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Extra = $"max_packet_size {limit}" });
        await using var link = Link(broker.Port);
        link.Refused = _said.Enqueue;
        link.Start();
        await link.WaitConnectedAsync(Eventually.Patience, Token);
        // Type and length of the packet, the topic "a" with its length, the identifier, the length of the properties, and one of them: digest=x.
        var payload = new byte[limit - (1 + 2) - (2 + 1) - 2 - 1 - (1 + 2 + 6 + 2 + 1)];
        Assert.False(await link.TryPublishAsync(Message(new byte[payload.Length + 1]), Token));
        Assert.Contains($"refuses a: a message of {limit + 1} bytes is more than the {limit} that it takes", Assert.Single(_said), StringComparison.Ordinal);
        Assert.True(await link.TryPublishAsync(Message(payload), Token));
        Assert.True(link.IsConnected);
    }

    [Fact]
    public async Task ABrokerWithAShorterKeepAliveIsPingedInTime()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Extra = "max_keepalive 10" });
        var time = new FakeTimeProvider();
        await using var link = new BrokerLink(new MqttOptions { Host = broker.Host, Port = broker.Port, KeepAliveSeconds = 3600 }, "link", [], time);
        link.Start();
        await link.WaitConnectedAsync(Eventually.Patience, Token);
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return broker.Log.Split("Received PINGREQ").Length > 2;
        }, "it pings", TimeSpan.FromSeconds(10));
        Assert.True(link.IsConnected);
    }

    private static MqttApplicationMessage Message(byte[] payload) =>
        new() { Topic = "a", PayloadSegment = payload, UserProperties = [new MqttUserProperty("digest", "x"u8.ToArray())] };

    private static BrokerLink Link(int port) =>
        new(new MqttOptions { Host = "localhost", Port = port }, "link", [], TimeProvider.System);
}
