using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Dunlin.Contracts.Messages;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A broker that takes nothing more for now.</summary>
public sealed class QuotaTests
{
    private const int QuotaExceeded = 0x97;
    private static readonly byte[] Reported = Encoding.UTF8.GetBytes("""{"reason":"it runs"}""");

    [Fact]
    public async Task ABrokerWhoseQuotaIsUsedUpIsAskedOnceASecond()
    {
        var count = 0;
        await using var broker = new EvilBroker(0, (stream, token) => AnswerAsync(stream, _ => Refuse(ref count), token));
        var time = new FakeTimeProvider();
        await using var link = new TestLink(new MqttOptions { Host = "127.0.0.1", Port = broker.Port }, time: time);
        link.Link.PublishRetained(link.Topics.Reported, Reported);
        await link.StartAsync();
        await link.ConnectedAsync();
        const int others = 10;
        for (var i = 0; i < others; i++)
            Assert.Equal(Delivery.NotSent, await link.Link.PublishAsync(link.Topics.Telemetry, Reported, 0, default, TestContext.Current.CancellationToken));
        // The retained one, and status.
        const int first = 2;
        Assert.Equal(first + others, Volatile.Read(ref count));

        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return Volatile.Read(ref count) > first + others;
        }, "it is asked again");
    }

    [Fact]
    public async Task OnlineIsSaidAgainUntilTheBrokerHasIt()
    {
        const int refusals = 2;
        var (statusCount, othersCount) = (0, 0);
        var topics = new Topics("demo", "belt-1");
        await using var broker = new EvilBroker(0, (stream, token) => AnswerAsync(
            stream, topic => topic == topics.Status ? Interlocked.Increment(ref statusCount) > refusals : Interlocked.Increment(ref othersCount) > 0, token));
        var time = new FakeTimeProvider();
        await using var link = new TestLink(new MqttOptions { Host = "127.0.0.1", Port = broker.Port }, time: time);
        await link.StartAsync();
        await link.ConnectedAsync();
        await Eventually.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromMilliseconds(100));
            return Volatile.Read(ref statusCount) > refusals;
        }, "it is said until it is taken");

        // Whatever came of the first turn of the loop was sent before the second.
        for (var turn = 1; turn <= 2; turn++)
        {
            link.Link.PublishRetained(link.Topics.Reported, Encoding.UTF8.GetBytes($"{turn}"));
            await Eventually.TrueAsync(() => Volatile.Read(ref othersCount) == turn, "the loop turns");
        }

        Assert.Equal(refusals + 1, Volatile.Read(ref statusCount));
    }

    private static bool Refuse(ref int count)
    {
        Interlocked.Increment(ref count);
        return false;
    }

    /// <summary>A broker that takes a PUBLISH of QoS 1 where <paramref name="isTaken"/> says so of its topic; else its quota is used up.</summary>
    private static async Task AnswerAsync(NetworkStream stream, Func<string, bool> isTaken, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(EvilBroker.ConnectionAccepted, cancellationToken);
        while (true)
        {
            var (type, body) = await EvilBroker.ReadPacketAsync(stream, cancellationToken);
            if (type >> 4 != 3) continue;
            var id = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
            var answer = isTaken(Encoding.UTF8.GetString(body.AsSpan(2..id))) ? 0 : QuotaExceeded;
            await stream.WriteAsync((byte[])[0x40, 3, body[id], body[id + 1], (byte)answer], cancellationToken);
        }
    }
}
