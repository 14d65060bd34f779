using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Dunlin.Fleet.Tests.Serving;

public sealed class ServeTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task AfterTheBrokerLostEverythingItGetsBackWhatTheDatabaseSays()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        await using var serve = await ServeAsync(broker);
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt"));
        await broker.KillAsync();
        await broker.StartAgainAsync();
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        Assert.Equal(1, (await device.NextAsync()).Directive.Counter);
        await device.Probe.NextAsync(device.Topics.Fresh);
        await device.Probe.NextAsync(device.Topics.Root);
    }

    [Fact]
    public async Task PushIsTheClientOfServeAndServeNotesHowItEnded()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        await using var serve = await ServeAsync(broker);
        // What only the writer needs is out of the client's reach: it must have asked.
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await device.Probe.NextAsync(device.Topics.Root);
        File.Move(Path.Combine(_desk.Keys, "directive.pem"), _desk.At("directive.pem"));
        var playing = device.PlayAsync(UpdateState.RolledBack, reason: "trial.crashed");
        Assert.Equal(10, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt", "--wait"));
        await playing;
        using var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state"));
        await Eventually.TrueAsync(() => ledger.Newest("belt-1") is [{ Result: UpdateState.RolledBack, Reason: "trial.crashed" }], "the end is noted");
    }

    [Fact]
    public async Task ASecondServeIsRefusedAndCtrlCEndsTheFirstCleanly()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await PrepareAsync();
        var serve = await ServeAsync(broker);
        Assert.Equal(75, await _desk.RunAsync("serve", "--keys", _desk.Keys, "--broker", broker.Address));
        Assert.Contains("serve.lock", _desk.Errors, StringComparison.Ordinal);
        await serve.DisposeAsync();
        Assert.Equal(0, serve.ExitCode);
        Assert.False(File.Exists(Path.Combine(_desk.Keys, "state", "serve.sock")));
    }

    [Fact]
    public async Task TheBeaconGoesOutEachHourAndRunsOutAfterADay()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await PrepareAsync();
        var keys = KeyFolder.Open(_desk.Keys);
        var time = new FakeTimeProvider(keys.Root.Issued.AddHours(1));
        using var ledger = Ledger.Open(_desk.At("state"));
        ledger.AddDevice("belt-1", time.GetUtcNow());
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await using var server = new FleetServer(new ServerKeys(keys, new Passphrase(null, _ => null)), ledger, new PublishedBlobs(_desk.At("state")),
            new MqttOptions { Host = broker.Host, Port = broker.Port }, "serve", time, NullLogger.Instance);
        server.Start();
        await Eventually.TrueAsync(() => { time.Advance(TimeSpan.FromMilliseconds(50)); return Beacons(device).Count > 0; }, "the first beacon");
        time.Advance(FleetServer.BeaconInterval);
        await Eventually.TrueAsync(() => Beacons(device).Count > 1, "the second beacon");
        Assert.All(Beacons(device), beacon => Assert.Equal((0L, TimeSpan.FromDays(1)), (beacon.Counter, beacon.Expires - beacon.Time)));
        Assert.True(Beacons(device)[1].Time - Beacons(device)[0].Time >= TimeSpan.FromMinutes(59));
    }

    [Fact]
    public async Task FreshSendsTheBeaconOnceAndCountsTheDevices()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-1", "belt-2", "--source", "mqtt"));
        Assert.Equal(0, await _desk.RunAsync("fresh", "--keys", _desk.Keys, "--broker", broker.Address, "--json"));
        Assert.Equal(2, _desk.Json.GetProperty("sent").GetInt32());
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-2");
        await device.Probe.NextAsync(device.Topics.Fresh);
        Assert.Equal(1, Beacons(device)[^1].Counter);
    }

    [Fact]
    public async Task APublishedBlobComesInPiecesAndNothingElseDoes()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        var secret = SampleBundle.Write(_desk.At("unpublished"), seed: 7);
        await using var serve = await ServeAsync(broker);
        Assert.Equal(0, await _desk.RunAsync("publish", bundle.Path, "mqtt", "--keys", _desk.Keys));
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await device.Probe.NextAsync(device.Topics.Root);
        foreach (var part in bundle.Parts())
        {
            var whole = new List<byte>();
            while (whole.Count < part.Size)
            {
                var (bytes, properties) = await device.AskAsync(part.Digest, whole.Count, BlobRequest.MaximumLength);
                Assert.Equal((part.Digest.ToString(), $"{whole.Count}"), (properties["digest"], properties["offset"]));
                Assert.Equal(Math.Min(BlobRequest.MaximumLength, part.Size - whole.Count), bytes.Length);
                whole.AddRange(bytes);
            }
            Assert.Equal(part.Digest, Contracts.Artifacts.Digest.Of(whole.ToArray()));
        }

        var model = bundle.Parts()[^2];
        Assert.Equal("blob.unknown", await ErrorAsync(device, secret.ReleaseId, 0, 100));
        Assert.Equal("blob.range", await ErrorAsync(device, model.Digest, model.Size, 1));
        Assert.Equal("blob.range", await ErrorAsync(device, model.Digest, -1, 1));
        Assert.Equal("blob.range", await ErrorAsync(device, model.Digest, 0, BlobRequest.MaximumLength + 1));
        Assert.Equal(0, await _desk.RunAsync("revoke", "release", bundle.Path, "--keys", _desk.Keys, "--broker", broker.Address));
        Assert.Equal("blob.unknown", await ErrorAsync(device, model.Digest, 0, 1));
    }

    [Fact]
    public async Task APushThatStepsInForServeWhileTheBrokerIsAwayGoesOnWhenItIsBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        var serve = await ServeAsync(broker);
        await using var errors = new LineWatch("goes on when it is back");
        Task<int> push;
        await using (var device = await FieldDevice.ConnectAsync(broker, "belt-1"))
        {
            push = FleetCommand.Create().Parse(["push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--wait", "--keys", _desk.Keys, "--broker", broker.Address])
                .InvokeAsync(new System.CommandLine.InvocationConfiguration { Output = TextWriter.Null, Error = errors }, TestContext.Current.CancellationToken);
            await device.NextAsync();
        }

        await broker.KillAsync();
        await serve.DisposeAsync();
        // It waits ten seconds for the broker, and complains.
        await Eventually.TrueAsync(() => push.IsCompleted || errors.Found.IsCompleted, "the push has tried in vain");
        Assert.False(push.IsCompleted, "It gave up.");
        var before = broker.Log.Length;
        await broker.StartAgainAsync();
        await Eventually.TrueAsync(() => broker.Log[before..].Contains("Received SUBSCRIBE from dunlin-fleet-push-", StringComparison.Ordinal), "the push listens again", TimeSpan.FromMinutes(1));
        await using var late = await FieldDevice.ConnectAsync(broker, "belt-1");
        await late.PlayAsync(UpdateState.Committed);
        Assert.Equal(0, await push);
        Assert.Equal(1, errors.Count);
    }

    [Fact]
    public async Task AnotherPushAnswersBlobsWhenTheOneThatServedHasEnded()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        await using FieldDevice quick = await FieldDevice.ConnectAsync(broker, "quick"), slow = await FieldDevice.ConnectAsync(broker, "slow");
        var first = Task.Run(() => PushInBackgroundAsync(broker, bundle.Path, "--to", "quick", "--source", "mqtt", "--wait"), TestContext.Current.CancellationToken);
        var directive = await quick.NextAsync();
        var second = Task.Run(() => PushInBackgroundAsync(broker, bundle.Path, "--to", "slow", "--source", "mqtt", "--wait"), TestContext.Current.CancellationToken);
        await slow.NextAsync();
        await quick.EndAsync(UpdateState.Committed, directive);
        Assert.Equal(0, await first);
        // A request that falls between the two is lost; as an agent does, the device asks again.
        byte[]? piece = null;
        await Eventually.TrueAsync(async () => (piece = await slow.TryAskAsync(bundle.ReleaseId, 0, 100, TimeSpan.FromSeconds(2))) is not null, "the other push answers");
        Assert.Equal(bundle.ManifestBytes.Span[..100].ToArray(), piece);
        await slow.PlayAsync(UpdateState.Committed);
        Assert.Equal(0, await second);
    }

    public void Dispose() => _desk.Dispose();

    private async Task<Bundle> PrepareAsync()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        return await _desk.SignedBundleAsync();
    }

    private Task<BackgroundServe> ServeAsync(MosquittoBroker broker) => BackgroundServe.StartAsync(_desk, broker);

    private Task<int> PushAsync(MosquittoBroker broker, params string[] arguments) =>
        _desk.RunAsync(["push", .. arguments, "--keys", _desk.Keys, "--broker", broker.Address]);

    private async Task<int> PushInBackgroundAsync(MosquittoBroker broker, params string[] arguments) =>
        (await _desk.CallAsync(TestContext.Current.CancellationToken, ["push", .. arguments, "--keys", _desk.Keys, "--broker", broker.Address])).Code;

    private static List<Fresh> Beacons(FieldDevice device) =>
        [.. device.Probe.Messages.Where(message => message.Topic == device.Topics.Fresh)
            .Select(message => Fresh.Format.Read(DsseEnvelope.Format.Read(message.Payload).GetOrThrow().Payload.Span).GetOrThrow())];

    private static async Task<string> ErrorAsync(FieldDevice device, Contracts.Artifacts.Digest digest, long offset, int length)
    {
        var (bytes, properties) = await device.AskAsync(digest, offset, length);
        Assert.Empty(bytes);
        return properties["error"];
    }
}
