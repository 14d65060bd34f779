using System.Collections.Concurrent;
using System.Net.Sockets;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>Answers that take long: the broker is busy, or a large message is on its way over a slow link.</summary>
public sealed class LateAnswerTests : IAsyncDisposable
{
    private const byte PublishPacket = 3, PingPacket = 12, PubAck = 0x40, PingResponse = 0xd0;

    /// <summary>Ten seconds at the slowest.</summary>
    private const int Large = 20 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3), LargePatience = Patience + TimeSpan.FromSeconds(10), Moment = TimeSpan.FromMilliseconds(1);
    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<byte[]> _answers = new(), _given = new();
    private readonly SemaphoreSlim _answered = new(0);
    private readonly EvilBroker _broker;
    private readonly BrokerClient _client;

    public LateAnswerTests()
    {
        _broker = new EvilBroker(0, AnswerWhenToldAsync);
        _client = new BrokerClient(_time);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _broker.DisposeAsync();
        _answered.Dispose();
    }

    [Fact]
    public async Task AMessageThatNobodyWaitsForAnyMoreCountsUntilTheBrokerHasAcknowledgedIt()
    {
        await ConnectAsync();
        var first = await PublishAsync(new byte[1]);
        _time.Advance(Patience + Moment);
        Assert.NotNull(await Record.ExceptionAsync(() => first.WaitAsync(Eventually.Patience, Token)));
        // This broker takes one at a time.
        var second = _client.PublishAsync(Message(new byte[1]), Token);
        var pinging = _client.PingAsync(Token);
        await AnswerAsync(2);
        await pinging.WaitAsync(Eventually.Patience, Token);
        Assert.Equal([PubAck, PingResponse], _given.Select(answer => answer[0]));
        await AnswerAsync(1);
        Assert.True((await second.WaitAsync(Eventually.Patience, Token)).IsSuccess);
    }

    [Fact]
    public async Task AMessageThatIsHalfOnTheWireWhenNobodyWaitsAnyMoreIsNotBrokenOff()
    {
        // It takes 20 at once by default.
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Extra = "max_inflight_messages 0" });
        var options = TestLink.To(broker);
        options.KeepAliveSeconds = 600;
        await using var link = await new TestLink(options, time: _time).StartAsync();
        await link.ConnectedAsync();
        broker.Freeze();
        using var patience = new CancellationTokenSource();
        // More than the kernel keeps for somebody who does not read.
        var publishing = Enumerable.Range(0, 60).Select(_ => link.Link.PublishAsync(link.Topics.Reply, new byte[MqttLink.MaximumPayloadByteCount], 0, default, patience.Token)).ToList();
        await patience.CancelAsync();
        Assert.Contains(Delivery.NotSent, await Task.WhenAll(publishing));
        broker.Thaw();
        Assert.Equal(Delivery.Acknowledged, await link.Link.PublishAsync(link.Topics.Reply, new byte[1], 0, default, Token).WaitAsync(Eventually.Patience, Token));
        Assert.Equal(1, link.Link.State.ConnectCount);
    }

    [Fact]
    public async Task ALargeMessageHasTheTimeThatItTakesOnASlowLink()
    {
        await ConnectAsync();
        var publishing = await PublishAsync(new byte[Large]);
        _time.Advance(LargePatience - Moment);
        await AnswerAsync(1);
        Assert.True((await publishing.WaitAsync(Eventually.Patience, Token)).IsSuccess);

        publishing = await PublishAsync(new byte[Large]);
        _time.Advance(LargePatience + Moment);
        Assert.IsNotType<TimeoutException>(await Record.ExceptionAsync(() => publishing.WaitAsync(Eventually.Patience, Token)));
    }

    [Fact]
    public async Task APingBehindALargeMessageHasThatTimeToo()
    {
        await ConnectAsync();
        var publishing = await PublishAsync(new byte[Large]);
        var pinging = _client.PingAsync(Token);
        await Eventually.TrueAsync(() => _answers.Count == 2, "the ping has arrived");
        _time.Advance(LargePatience - Moment);
        await AnswerAsync(2);
        await pinging.WaitAsync(Eventually.Patience, Token);
        await publishing.WaitAsync(Eventually.Patience, Token);
    }

    [Fact]
    public async Task ALinkBehindALargeMessageIsNotTakenForDeadAndItsLoopForNoneThatHangs()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var options = TestLink.To(broker);
        options.KeepAliveSeconds = 20;
        await using var link = await new TestLink(options, time: _time).StartAsync();
        await link.ConnectedAsync();
        broker.Freeze();
        var publishing = link.Link.PublishAsync(link.Topics.Reply, new byte[2 * Large], 0, default, Token);
        var end = _time.GetUtcNow() + TimeSpan.FromSeconds(22);
        // The loop pings in the tenth second, and ticks at least every 11.
        await Eventually.TrueAsync(() =>
        {
            Assert.Empty(link.Ticks.Hanging);
            _time.Advance(TimeSpan.FromMilliseconds(100));
            return _time.GetUtcNow() >= end;
        }, "the time passes");
        broker.Thaw();
        Assert.Equal(Delivery.Acknowledged, await publishing.WaitAsync(Eventually.Patience, Token));
        Assert.Equal((true, 1), (link.Link.State.IsConnected, link.Link.State.ConnectCount));
    }

    private async Task ConnectAsync() => await _client.ConnectAsync(
        new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", _broker.Port).WithProtocolVersion(MqttProtocolVersion.V500).WithTimeout(Patience).WithNoKeepAlive().Build(), Token);

    private static MqttApplicationMessage Message(byte[] payload) =>
        new() { Topic = "a", PayloadSegment = payload, QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce };

    /// <summary>Returns when the broker has it.</summary>
    private async Task<Task<MqttClientPublishResult>> PublishAsync(byte[] payload)
    {
        var publishing = _client.PublishAsync(Message(payload), Token);
        await Eventually.TrueAsync(() => _answers.Count == 1, "the message has arrived");
        return publishing;
    }

    /// <summary>Lets so many answers out, in order, of requests that may still be on their way.</summary>
    private async Task AnswerAsync(int count)
    {
        await Eventually.TrueAsync(() => _answers.Count >= count, "the broker has something to answer");
        _answered.Release(count);
    }

    /// <summary>A broker that takes one message at a time, and answers when it is told to.</summary>
    private async Task AnswerWhenToldAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        await stream.WriteAsync((byte[])[0x20, 6, 0, 0, 3, 0x21, 0, 1], cancellationToken);
        await Task.WhenAll(ReadAsync(stream, cancellationToken), WriteAsync(stream, cancellationToken));
    }

    private async Task ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (first, body) = await EvilBroker.ReadPacketAsync(stream, cancellationToken);
            // A PUBLISH has its identifier behind the topic of one letter.
            if (first >> 4 == PublishPacket) _answers.Enqueue([PubAck, 2, body[3], body[4]]);
            else if (first >> 4 == PingPacket) _answers.Enqueue([PingResponse, 0]);
        }
    }

    private async Task WriteAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        while (true)
        {
            await _answered.WaitAsync(cancellationToken);
            if (!_answers.TryDequeue(out var answer)) continue;
            _given.Enqueue(answer);
            await stream.WriteAsync(answer, cancellationToken);
        }
    }
}
