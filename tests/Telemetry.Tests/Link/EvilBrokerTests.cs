using System.Net.Sockets;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>Row 32 of the promises: a broker that means harm costs the device little, and a good one in its place is served again.</summary>
[Collection(nameof(AloneInTheProcess))]
public sealed class EvilBrokerTests
{
    private const long Megabyte = 1024 * 1024;
    private const int AllowedMegabytes = 32;
    private static readonly LinkTiming Quick = TestLink.Impatient with { Timeout = TimeSpan.FromSeconds(0.5), TakeoverBackoff = TimeSpan.FromSeconds(0.3) };
    private static readonly byte[] GiantLength = [0xff, 0xff, 0xff, 0x7f];

    public static TheoryData<string> Deeds => [.. All.Keys];

    private static Dictionary<string, Func<NetworkStream, CancellationToken, Task>> All { get; } = new()
    {
        ["a CONNACK of 256 MB"] = (stream, token) => FloodAsync(stream, [0x20, .. GiantLength], token),
        ["a PUBLISH of 256 MB"] = (stream, token) => FloodAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x32, .. GiantLength], token),
        ["a PUBLISH whose topic is longer than the packet"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x30, 4, 0xff, 0xff, 1, 2], token),
        ["a length of five bytes"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x30, 0xff, 0xff, 0xff, 0xff, 0xff], token),
        ["a topic that is no UTF-8"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x30, 6, 0, 2, 0xc3, 0x28, 0, 1], token),
        ["topic alias 0"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x30, 6, 0, 0, 3, 0x23, 0, 0], token),
        ["an unknown property"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x30, 6, 0, 1, (byte)'a', 2, 0x7e, 1], token),
        ["packet type 0"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0, 0], token),
        ["a SUBACK for nobody"] = (stream, token) => SendAsync(stream, [.. EvilBroker.ConnectionAccepted, 0x90, 4, 0, 77, 0, 0], token),
        ["bytes that are no MQTT"] = (stream, token) => SendAsync(stream, [.. "HTTP/1.1 400 Bad Request\r\n\r\n"u8], token),
        ["random bytes"] = (stream, token) => SendAsync(stream, RandomBytes(100_000), token),
        ["a storm of CONNACKs"] = (stream, token) => StormAsync(stream, EvilBroker.ConnectionAccepted, 200_000, token),
        ["a storm of tiny messages"] = (stream, token) => StormAsync(stream, [0x30, 5, 0, 1, (byte)'a', 0, 1], 200_000, token),
        ["an end right after CONNECT"] = (_, _) => Task.CompletedTask,
        ["silence"] = (_, token) => Task.Delay(Quick.Timeout * 2, token),
    };

    [Theory]
    [MemberData(nameof(Deeds))]
    public async Task AnEvilBrokerCostsLittleMemoryAndAGoodOneIsServedAfterwards(string deed)
    {
        await using var good = MosquittoBroker.Prepare();
        var options = TestLink.To(good);
        options.Host = "127.0.0.1";
        await using var link = new TestLink(options, timing: Quick);
        var before = Settled();
        var peak = before;
        await using (var evil = new EvilBroker(good.Port, All[deed]))
        {
            await link.StartAsync();
            await Eventually.TrueAsync(() =>
            {
                peak = Math.Max(peak, Environment.WorkingSet);
                return evil.VictimCount >= 2;
            }, () => $"the link tries twice; it says: {link.Link.State.Detail}");
        }

        await good.StartAgainAsync();
        await link.ConnectedAsync();
        Assert.InRange((peak - before) / Megabyte, long.MinValue, AllowedMegabytes);
    }

    private static long Settled()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return Environment.WorkingSet;
    }

    private static async Task SendAsync(NetworkStream stream, byte[] bytes, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(bytes, cancellationToken);
        // What the victim says to it does not matter; that it hangs up does.
        var patience = Task.Delay(Quick.Timeout * 1.5, cancellationToken);
        var ended = DrainAsync(stream, cancellationToken);
        await Task.WhenAny(patience, ended);
    }

    private static async Task FloodAsync(NetworkStream stream, byte[] start, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(start, cancellationToken);
        for (var block = new byte[Megabyte]; ;) await stream.WriteAsync(block, cancellationToken);
    }

    private static async Task StormAsync(NetworkStream stream, byte[] packet, int count, CancellationToken cancellationToken)
    {
        await stream.WriteAsync(EvilBroker.ConnectionAccepted, cancellationToken);
        const int atOnce = 1000;
        var block = Enumerable.Repeat(packet, atOnce).SelectMany(bytes => bytes).ToArray();
        for (var sent = 0; sent < count; sent += atOnce) await stream.WriteAsync(block, cancellationToken);
    }

    private static async Task DrainAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        for (var buffer = new byte[4096]; await stream.ReadAsync(buffer, cancellationToken) > 0;) { }
    }

    private static byte[] RandomBytes(int count)
    {
        var bytes = new byte[count];
        new Random(32).NextBytes(bytes);
        return bytes;
    }
}

/// <summary>For tests that measure the process's memory: nothing else runs beside them.</summary>
[CollectionDefinition(nameof(AloneInTheProcess), DisableParallelization = true)]
public sealed class AloneInTheProcess;
