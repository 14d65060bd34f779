using System.Buffers.Binary;
using System.Net.Sockets;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;
using MQTTnet;
using MQTTnet.Formatter;
using MQTTnet.Protocol;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>What a broker says in CONNACK that it takes: of a message's size, and of messages at once. One that is given more ends the connection.</summary>
public sealed class BrokerLimitTests
{
    private const int Limit = 2000;
    private static readonly MosquittoSettings Small = new() { Extra = $"max_packet_size {Limit}" };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0, 0)]
    [InlineData(60, 0)]
    [InlineData(60, 16)]
    public async Task AMessageOfTheLimitIsSentAndOneOfAByteMoreIsRefusedAndToldOf(uint expirySeconds, int correlationLength)
    {
        await using var broker = await MosquittoBroker.StartAsync(Small);
        await using var link = await new TestLink(TestLink.To(broker)).StartAsync();
        await link.ConnectedAsync();
        var topic = link.Topics.Reply;
        var properties = (expirySeconds > 0 ? 1 + sizeof(uint) : 0) + (correlationLength > 0 ? 1 + sizeof(ushort) + correlationLength : 0);
        // Type and length of the packet, the topic with its length, the identifier, the length of the properties.
        var payload = new byte[Limit - (1 + 2) - (sizeof(ushort) + topic.Length) - sizeof(ushort) - 1 - properties];
        var correlation = new byte[correlationLength];

        Assert.Equal(Delivery.Refused, await link.Link.PublishAsync(topic, new byte[payload.Length + 1], expirySeconds, correlation, Token));
        Assert.Contains($"refuses {topic}: a message of {Limit + 1} bytes is more than the {Limit} that it takes; raise its limit", link.Link.State.Problem, StringComparison.Ordinal);
        Assert.Equal(Delivery.Acknowledged, await link.Link.PublishAsync(topic, payload, expirySeconds, correlation, Token));
        Assert.Null(link.Link.State.Problem);
        Assert.Equal((true, 1), (link.Link.State.IsConnected, link.Link.State.ConnectCount));
    }

    [Fact]
    public async Task WhatIsTooLargeKeepsNothingElseBack()
    {
        await using var broker = await MosquittoBroker.StartAsync(Small);
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var link = new TestLink(TestLink.To(broker));
        link.Link.PublishRetained(link.Topics.Reported, new byte[Limit]);
        link.Link.PublishRetained(link.Topics.Race, "{}"u8.ToArray());
        var result = SampleMessages.Result();
        link.Link.PublishResult(result with { Scores = [.. Enumerable.Range(0, 100).Select(index => new Score(index, "a long label", 0.01))] });
        await link.StartAsync();
        await probe.NextAsync(link.Topics.Race);
        await probe.NextAsync(link.Topics.Status);
        await Eventually.TrueAsync(
            () => link.Link.State.Problem is { } problem && new[] { link.Topics.Reported, link.Topics.Result }.All(topic => problem.Contains($"refuses {topic}: a message of", StringComparison.Ordinal)),
            () => $"both are told of: {link.Link.State}");

        link.Link.PublishResult(result);
        await probe.NextAsync(link.Topics.Result);
        Assert.DoesNotContain(link.Topics.Result, link.Link.State.Problem, StringComparison.Ordinal);
        Assert.Equal((true, 1), (link.Link.State.IsConnected, link.Link.State.ConnectCount));
    }

    [Fact]
    public async Task NoMoreMessagesAreUnderWayThanTheBrokerTakesAtOnce()
    {
        const int atOnce = 2;
        var unacknowledged = new Queue<ushort>();
        var most = 0;
        await using var broker = new EvilBroker(0, (stream, token) => AnswerPingsAsync(stream, atOnce, unacknowledged, count => most = Math.Max(most, count), token));
        using var client = new BrokerClient(TimeProvider.System);
        var options = new MqttClientOptionsBuilder().WithTcpServer("127.0.0.1", broker.Port).WithProtocolVersion(MqttProtocolVersion.V500).WithTimeout(Eventually.Patience);
        await client.ConnectAsync(options.Build(), Token);
        var publishing = Enumerable.Range(0, 3 * atOnce + 1).Select(_ => client.PublishAsync(new MqttApplicationMessage { Topic = "a", QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce }, Token)).ToList();
        while (!publishing.TrueForAll(task => task.IsCompleted)) await client.PingAsync(Token);
        Assert.All(publishing, task => Assert.True(task.IsCompletedSuccessfully));
        Assert.Equal(atOnce, most);
    }

    /// <summary>Acknowledges only when it is pinged: what was sent before that has arrived.</summary>
    private static async Task AnswerPingsAsync(NetworkStream stream, byte receiveMaximum, Queue<ushort> unacknowledged, Action<int> see, CancellationToken cancellationToken)
    {
        await stream.WriteAsync((byte[])[0x20, 6, 0, 0, 3, 0x21, 0, receiveMaximum], cancellationToken);
        while (true)
        {
            var (first, body) = await EvilBroker.ReadPacketAsync(stream, cancellationToken);
            // The identifier stands behind the topic, which has one letter.
            if (first >> 4 == 3) unacknowledged.Enqueue(BinaryPrimitives.ReadUInt16BigEndian(body.AsSpan(3)));
            see(unacknowledged.Count);
            if (first >> 4 != 12) continue;
            while (unacknowledged.TryDequeue(out var id)) await stream.WriteAsync((byte[])[0x40, 2, (byte)(id >> 8), (byte)id], cancellationToken);
            await stream.WriteAsync((byte[])[0xd0, 0], cancellationToken);
        }
    }
}
