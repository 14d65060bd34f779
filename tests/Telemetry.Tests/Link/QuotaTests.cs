using System.Buffers.Binary;
using System.Net.Sockets;
using System.Text;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A broker that takes nothing more for now.</summary>
public sealed class QuotaTests
{
    private static readonly byte[] Reported = Encoding.UTF8.GetBytes("""{"reason":"it runs"}""");

    [Fact]
    public async Task ABrokerWhoseQuotaIsUsedUpIsAskedOnceASecond()
    {
        var count = 0;
        await using var broker = new EvilBroker(0, (stream, token) => RefuseAsync(stream, () => Interlocked.Increment(ref count), token));
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

    /// <summary>A broker that answers each PUBLISH of QoS 1 that its quota is used up.</summary>
    private static async Task RefuseAsync(NetworkStream stream, Action published, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(EvilBroker.ConnectionAccepted, cancellationToken);
        while (true)
        {
            var type = await ByteAsync();
            var length = 0;
            for (var shift = 0; ; shift += 7)
            {
                var part = await ByteAsync();
                length |= (part & 0x7f) << shift;
                if (part < 0x80) break;
            }

            var body = new byte[length];
            await stream.ReadExactlyAsync(body, cancellationToken);
            if (type >> 4 != 3) continue;
            published();
            var id = 2 + BinaryPrimitives.ReadUInt16BigEndian(body);
            await stream.WriteAsync((byte[])[0x40, 3, body[id], body[id + 1], 0x97], cancellationToken);
        }

        async Task<byte> ByteAsync()
        {
            var one = new byte[1];
            await stream.ReadExactlyAsync(one, cancellationToken);
            return one[0];
        }
    }
}
