using System.Net;
using System.Net.Sockets;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Telemetry.Tests.Link;

public sealed class MqttLinkTests
{
    private static readonly byte[] Reported = Encoding.UTF8.GetBytes("""{"reason":"it runs"}""");

    [Fact]
    public async Task ALinkThatIsStoppedWhileABrokerSaysNothingHasNotFailed()
    {
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var link = new TestLink(new MqttOptions { Host = "127.0.0.1", Port = ((IPEndPoint)silent.LocalEndpoint).Port });
        await link.StartAsync();
        using var caller = await silent.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await caller.GetStream().ReadExactlyAsync(new byte[1], TestContext.Current.CancellationToken);
        await link.Link.StopAsync(CancellationToken.None);
        await link.Link.ExecuteTask!;
    }

    [Fact]
    public async Task RetainedStateComesBeforeOnlineAndAfterAReconnectAgain()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var link = new TestLink(TestLink.To(broker));
        link.Link.PublishRetained(link.Topics.Reported, Reported);
        await using (var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#"))
        {
            await link.StartAsync();
            await probe.NextAsync(link.Topics.Status, m => m.Json.GetProperty("state").GetString() == "online");
            Assert.Equal([link.Topics.Reported, link.Topics.Status], probe.Messages.Select(m => m.Topic));
            Assert.All(probe.Messages, m => Assert.True(m.Retain && m.Qos == 1));
        }

        await broker.KillAsync();
        await link.LostAsync();
        await broker.StartAgainAsync();
        await using var second = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await second.NextAsync(link.Topics.Status);
        await second.NextAsync(link.Topics.Reported);
        await Eventually.TrueAsync(() => link.Link.State.ConnectCount == 2, "two connections");
    }

    [Fact]
    public async Task AnAbsentBrokerIsNamedWithWhatToDoAndWaitedFor()
    {
        await using var broker = MosquittoBroker.Prepare();
        await using var link = await new TestLink(TestLink.To(broker)).StartAsync();
        await link.LostAsync("nothing listens there");
        Assert.Contains($"localhost:{broker.Port}", link.Link.State.Detail, StringComparison.Ordinal);
        await broker.StartAgainAsync();
        await link.ConnectedAsync();
    }

    [Theory]
    [InlineData("belt-1", "wrong", "user 'belt-1' in; check its password (Mqtt:PasswordFile)")]
    [InlineData("", "", "'belt-1' without a user name in; set Mqtt:UserName")]
    public async Task ARefusalSaysWhatToDoAndNeverThePassword(string user, string password, string advice)
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Passwords = new Dictionary<string, string> { ["belt-1"] = "right" } });
        var options = TestLink.To(broker);
        (options.UserName, options.Password) = (user, password);
        await using var link = await new TestLink(options).StartAsync();
        await link.LostAsync($"does not let {advice}");
        if (password.Length > 0) Assert.DoesNotContain(password, link.Link.State.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ThePasswordIsReadFromItsFile()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Passwords = new Dictionary<string, string> { ["belt-1"] = "right" } });
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "right\n", TestContext.Current.CancellationToken);
        var options = TestLink.To(broker);
        (options.UserName, options.PasswordFile) = ("belt-1", file);
        await using var link = await new TestLink(options).StartAsync();
        await link.ConnectedAsync();
        File.Delete(file);
    }

    [Fact]
    public async Task AFrozenBrokerIsNoticedWithinTheKeepAliveAndTheLinkComesBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var options = TestLink.To(broker);
        await using var link = await new TestLink(options).StartAsync();
        await link.ConnectedAsync();
        broker.Freeze();
        var started = Stopwatch.GetTimestamp();
        await link.LostAsync("does not answer");
        // One and a half keep-alives, and a margin for a busy machine.
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, (1.5 * options.KeepAliveSeconds) + 3);
        broker.Thaw();
        await link.ConnectedAsync();
    }

    [Fact]
    public async Task TheBrokerKnowsTheKeepAliveThatTheLinkItselfKeeps()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var link = await new TestLink(TestLink.To(broker)).StartAsync();
        await link.ConnectedAsync();
        await Eventually.TrueAsync(() => broker.Log.Contains(", k2)", StringComparison.Ordinal), "the period is in its CONNECT");
        await Eventually.TrueAsync(() => broker.Log.Contains("Received PINGREQ", StringComparison.Ordinal), "a ping");
    }

    [Fact]
    public async Task AHalfOpenLinkIsNoticed()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var wire = new FaultyLink(broker.Host, broker.Port);
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        await using var link = await new TestLink(options).StartAsync();
        await link.ConnectedAsync();
        wire.IsBlackHole = true;
        await link.LostAsync();
        wire.IsBlackHole = false;
        await link.ConnectedAsync();
    }

    [Fact]
    public async Task TwoDevicesWithOneIdAreReportedAndOneStepsBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var first = await new TestLink(TestLink.To(broker)).StartAsync();
        await first.ConnectedAsync();
        await using var second = await new TestLink(TestLink.To(broker)).StartAsync();
        await Eventually.TrueAsync(
            () => first.Link.State.Problem is not null || second.Link.State.Problem is not null,
            () => $"one of them reports it; they say: {first.Link.State.Detail} {second.Link.State.Detail}");
        var (back, front) = first.Link.State.Problem is null ? (second, first) : (first, second);
        Assert.Contains("two devices use the id 'belt-1'. Give one of them another Device:Id", back.Link.State.Problem, StringComparison.Ordinal);
        await front.ConnectedAsync();
        Assert.False(back.Link.State.IsConnected, "the one that lost its session waits at least a minute");
        Assert.True(TestLink.Impatient.TakeoverBackoff >= TimeSpan.FromSeconds(60));
    }

    [Fact]
    public async Task ATakenSessionIsStillToldAfterTheReturnUntilTheLinkIsStable()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var link = await new TestLink(TestLink.To(broker), timing: TestLink.Impatient with { TakeoverBackoff = TimeSpan.FromSeconds(0.2) }).StartAsync();
        for (var i = 0; i < 3; i++)
        {
            await link.ConnectedAsync();
            var connects = link.Link.State.ConnectCount;
            await using var rival = await MqttProbe.ConnectAsync(broker, options => options.WithClientId("belt-1"));
            // It may be back before anybody looks.
            await Eventually.TrueAsync(() => link.Link.State is { IsConnected: false } || link.Link.State.ConnectCount > connects, () => $"it is lost: {link.Link.State}");
        }

        await Eventually.TrueAsync(() => link.Link.State is { IsConnected: true, Problem: not null }, () => $"it is back and tells of it: {link.Link.State}");
        await Eventually.TrueAsync(() => link.Link.State is { IsConnected: true, Problem: null }, () => $"it is stable: {link.Link.State}");
    }

    [Theory]
    [InlineData(0x98, "somebody ended it at the broker; the agent connects again (it says: »out«)")]
    [InlineData(0x8b, "the broker shuts down; the agent connects again (it says: »out«)")]
    [InlineData(0x87, "the broker does not let 'belt-1' without a user name in any more; look at its access list")]
    [InlineData(0x95, "raise its limit")]
    [InlineData(0x82, "the broker ended it (ProtocolError); look into its log")]
    public async Task AKilledSessionIsNamedWithWhatTheBrokerSaysAndMadeAgain(byte reason, string sentence)
    {
        byte[] said = [.. "»out«"u8];
        byte[] disconnect = [0xe0, (byte)(5 + said.Length), reason, (byte)(3 + said.Length), 0x1f, 0, (byte)said.Length, .. said];
        await using var broker = MosquittoBroker.Prepare();
        var options = TestLink.To(broker);
        options.Host = "127.0.0.1";
        await using var link = new TestLink(options);
        await using (new EvilBroker(broker.Port, async (stream, token) => await stream.WriteAsync((byte[])[.. EvilBroker.ConnectionAccepted, .. disconnect], token)))
        {
            await link.StartAsync();
            await link.LostAsync(sentence);
        }

        await broker.StartAgainAsync();
        await link.ConnectedAsync();
    }

    [Fact]
    public async Task WhyALinkBrokeIsSaid()
    {
        await using var broker = new EvilBroker(0, async (stream, token) =>
        {
            await stream.WriteAsync((byte[])[.. EvilBroker.ConnectionAccepted, 0x32, 0xff, 0xff, 0xff, 0x7f], token);
            await stream.CopyToAsync(Stream.Null, token);
        });
        await using var link = await new TestLink(new MqttOptions { Host = "127.0.0.1", Port = broker.Port }).StartAsync();
        await link.LostAsync($"Lost the link to broker 127.0.0.1:{broker.Port}: it broke (The broker announces a packet of ");
    }

    [Fact]
    public async Task ABrokerThatForgotTheSessionIsSubscribedToAgain()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var link = new TestLink(TestLink.To(broker));
        var arrived = 0;
        link.Link.Subscribe(link.Topics.Desired, _ =>
        {
            Interlocked.Increment(ref arrived);
            return ValueTask.FromResult(true);
        });
        await link.StartAsync();
        await link.ConnectedAsync();
        await broker.KillAsync();
        await link.LostAsync();
        await broker.StartAgainAsync();
        await link.ConnectedAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        await probe.PublishAsync(link.Topics.Desired, "after");
        await Eventually.TrueAsync(() => Volatile.Read(ref arrived) == 1, "what was published after the session was lost arrives");
    }

    [Fact]
    public async Task WhatIsPublishedWhileTheLinkIsCutArrivesOnceItIsBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var wire = new FaultyLink(broker.Host, broker.Port);
        await using var probe = await MqttProbe.ConnectAsync(broker);
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        await using var link = new TestLink(options);
        var arrived = new ConcurrentQueue<string>();
        link.Link.Subscribe(link.Topics.Desired, message =>
        {
            arrived.Enqueue(Encoding.UTF8.GetString(message.Payload.Span));
            return ValueTask.FromResult(true);
        });
        await link.StartAsync();
        await link.ConnectedAsync();
        wire.IsRefusing = true;
        wire.Cut();
        await link.LostAsync();
        for (var i = 0; i < 3; i++) await probe.PublishAsync(link.Topics.Desired, $"{i}");
        Assert.Empty(arrived);
        wire.IsRefusing = false;
        await Eventually.TrueAsync(() => arrived.Count == 3, () => $"all three arrive; {arrived.Count} did");
        Assert.Equal(["0", "1", "2"], arrived);
    }

    [Fact]
    public async Task StoppingSaysStoppedSoon()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var link = await new TestLink(TestLink.To(broker)).StartAsync();
        await link.ConnectedAsync();
        var started = Stopwatch.GetTimestamp();
        await link.Link.StopAsync(CancellationToken.None);
        // A second on a quiet machine.
        Assert.InRange(Stopwatch.GetElapsedTime(started).TotalSeconds, 0, 3);
        await probe.NextAsync(link.Topics.Status, m => m.Json.GetProperty("state").GetString() == "stopped");
    }

    [Fact]
    public async Task ACutLinkThatStaysAwayIsCalledOfflineByTheBroker()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var wire = new FaultyLink(broker.Host, broker.Port);
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        await using var link = await new TestLink(options).StartAsync();
        await link.ConnectedAsync();
        wire.IsRefusing = true;
        wire.Cut();
        var will = await probe.NextAsync(link.Topics.Status, m => m.Json.GetProperty("state").GetString() == "offline");
        Assert.True(will.Retain);
    }

    [Fact]
    public async Task GarbageIsSurvivedAndTheMessagesBehindItArrive()
    {
        // Three messages that nobody acknowledges would be the last ones.
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Extra = "max_inflight_messages 3\nmax_queued_messages 0" });
        await using var probe = await MqttProbe.ConnectAsync(broker);
        await using var link = new TestLink(TestLink.To(broker));
        var good = 0;
        link.Link.Subscribe(link.Topics.Desired, message =>
        {
            if (message.Payload.Length == 4) Interlocked.Increment(ref good);
            else if (message.Payload.Length == 0) throw new InvalidOperationException("A handler with a bug.");
            return ValueTask.FromResult(message.Payload.Length == 4);
        });
        await link.StartAsync();
        await link.ConnectedAsync();
        await probe.PublishAsync(link.Topics.Desired, [0xff, 0xfe, 0x80]);
        await probe.PublishAsync(link.Topics.Desired, new byte[1_000_000]);
        await probe.PublishAsync(link.Topics.Desired, new byte[MqttLink.MaximumPayloadByteCount + 1]);
        for (var i = 0; i < 200; i++) await probe.PublishAsync(link.Topics.Desired, []);
        await Task.WhenAll(Enumerable.Range(0, 2000).Select(i => probe.PublishAsync(link.Topics.Desired, [1, 2])));
        for (var i = 0; i < 100; i++) await probe.PublishAsync(link.Topics.Desired, "good");
        await Eventually.TrueAsync(() => Volatile.Read(ref good) == 100, "100 good messages");
        Assert.Equal((true, 1), (link.Link.State.IsConnected, link.Link.State.ConnectCount));
    }
}
