using System.Buffers;
using Dunlin.Agent.Updates.Fetching;
using Dunlin.Contracts.Artifacts;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;
using MQTTnet;

namespace Dunlin.Agent.Tests.Updates.Fetching;

public sealed class MqttFetchTests
{
    private readonly SampleBlob _blob = new((40 * Blob.StandardChunkSize) + 1000);

    [Fact]
    public async Task ABoardThatReachesOnlyTheBrokerGetsItsBlobsInChunks()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        // So long that no chunk is asked for twice.
        using var setup = await StartAsync(broker, FetchSetup.Impatient with { ChunkTimeout = TimeSpan.FromSeconds(20) });
        await using var fleet = await BlobAnswerer.StartAsync(broker, _blob, setup.Identity.Topics);
        await setup.SucceedAsync(_blob, FetchSetup.Mqtt);
        // The first chunk in pieces of 4, 8, 16, 32 and 4 KiB, the others at once.
        Assert.Equal(45, fleet.RequestCount);
        Assert.Equal(_blob.Content.Length, fleet.AskedByteCount);
        Assert.Equal(_blob.Content.Length, setup.ReceivedByteCount);
    }

    [Fact]
    public async Task LostRepeatedWrongAndForeignAnswersAreOvercome()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var setup = await StartAsync(broker);
        await using var fleet = await BlobAnswerer.StartAsync(broker, _blob, setup.Identity.Topics);
        fleet.Copies = 2;
        fleet.Twist = (number, answer) => (number % 11) switch
        {
            2 when number < 12 => Lengthened(answer),
            3 => null,
            5 => Flipped(answer),
            7 when number < 12 => Shortened(answer),
            9 when number < 12 => Foreign(answer),
            _ => answer,
        };
        await setup.SucceedAsync(_blob, FetchSetup.Mqtt);
        Assert.InRange(fleet.AskedByteCount, 42 * Blob.StandardChunkSize, 60 * Blob.StandardChunkSize);
    }

    [Fact]
    public async Task ABlobThatTheFleetDoesNotKnowSendsTheBoardToItsNextSource()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var http = ScriptedServer.Serving(_blob.Content);
        using var setup = await StartAsync(broker);
        await using var fleet = await BlobAnswerer.StartAsync(broker, new SampleBlob(10, 9), setup.Identity.Topics);
        await setup.SucceedAsync(_blob, FetchSetup.Mqtt, FetchSetup.Http(http.Address));
        var other = new SampleBlob(100, 3);
        Assert.Equal(FetchCodes.NotFound, (await setup.FetchAsync(other, FetchSetup.Mqtt)).Code);
    }

    [Fact]
    public async Task SilenceIsWaitedOutNoLongerThanThePatience()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var setup = await StartAsync(broker, FetchSetup.Impatient with { ChunkTimeout = TimeSpan.FromMilliseconds(200), Patience = TimeSpan.FromSeconds(1) });
        var result = await setup.FetchAsync(_blob, FetchSetup.Mqtt);
        Assert.Equal(FetchCodes.SourcesExhausted, result.Code);
        Assert.Contains("run dunlin-fleet serve", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ALinkOverWhichAChunkTakesLongerThanThePatienceForAnAnswerBringsThemAll()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var slow = new FaultyLink(broker.Host, broker.Port) { BytesPerSecond = Blob.StandardChunkSize * 2 / 3 };
        using var setup = await StartAsync(FetchSetup.Impatient with { Patience = TimeSpan.FromSeconds(8) }, new MqttOptions { Host = slow.Host, Port = slow.Port, ReconnectSeconds = 1 });
        var blob = new SampleBlob((4 * Blob.StandardChunkSize) + 1000);
        await using var fleet = await BlobAnswerer.StartAsync(broker, blob, setup.Identity.Topics);
        await setup.SucceedAsync(blob, FetchSetup.Mqtt);
        Assert.InRange(fleet.AskedByteCount, blob.Content.Length, 1.3 * blob.Content.Length);
        Assert.InRange(slow.ByteCount, blob.Content.Length, 1.3 * blob.Content.Length);
    }

    [Fact]
    public async Task ABrokerThatDiesInMidFetchCostsFewChunks()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        using var setup = await StartAsync(broker, FetchSetup.Impatient with { Patience = TimeSpan.FromSeconds(30) });
        var killed = new TaskCompletionSource();
        await using (var fleet = await BlobAnswerer.StartAsync(broker, _blob, setup.Identity.Topics))
        {
            fleet.Twist = (number, answer) =>
            {
                // The first chunk is asked for in five pieces.
                if (number == 24) killed.TrySetResult();
                return number < 24 ? answer : null;
            };
            var fetch = setup.FetchAsync(_blob, FetchSetup.Mqtt);
            await killed.Task.WaitAsync(TimeSpan.FromSeconds(20), TestContext.Current.CancellationToken);
            await broker.KillAsync();
            await broker.StartAgainAsync();
            await using var again = await BlobAnswerer.StartAsync(broker, _blob, setup.Identity.Topics);
            Assert.True((await fetch).IsSuccess);
            Assert.InRange(again.AskedByteCount, 21 * Blob.StandardChunkSize, 30 * Blob.StandardChunkSize);
        }
    }

    private static Task<FetchSetup> StartAsync(MosquittoBroker broker, FetchLimits? limits = null) =>
        StartAsync(limits, new MqttOptions { Host = broker.Host, Port = broker.Port, KeepAliveSeconds = 2, ReconnectSeconds = 1 });

    private static async Task<FetchSetup> StartAsync(FetchLimits? limits, MqttOptions broker)
    {
        var setup = new FetchSetup(limits: limits, broker: broker);
        await setup.Link.StartAsync(CancellationToken.None);
        await Eventually.TrueAsync(() => setup.Link.State.IsConnected, "the link is connected");
        return setup;
    }

    private static MqttApplicationMessage Flipped(MqttApplicationMessage answer)
    {
        var bytes = answer.Payload.ToArray();
        bytes[0] ^= 1;
        answer.Payload = new ReadOnlySequence<byte>(bytes);
        return answer;
    }

    private static MqttApplicationMessage Shortened(MqttApplicationMessage answer)
    {
        answer.Payload = answer.Payload.Slice(1);
        return answer;
    }

    private static MqttApplicationMessage Lengthened(MqttApplicationMessage answer)
    {
        answer.Payload = new ReadOnlySequence<byte>([.. answer.Payload.ToArray(), 0]);
        return answer;
    }

    private static MqttApplicationMessage Foreign(MqttApplicationMessage answer)
    {
        answer.CorrelationData = Guid.NewGuid().ToByteArray();
        return answer;
    }
}
