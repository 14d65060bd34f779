using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Artifacts;
using Dunlin.Contracts.Race;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Signing;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Fleet.Tests.Pushing;

public sealed class PushTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task ADeviceGetsASignedDirectiveThatItAcceptsAndCommitEndsTheWaitWith0()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        var playing = device.PlayAsync(UpdateState.Committed);
        var code = await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "https://files.example/garments/", "--source", "mqtt",
            "--objective", "energy", "--trial", "5s", "--minimum-runs", "7", "--max-p95", "12.5", "--expires", "2d", "--wait", "--json");
        Assert.True(code == 0, _desk.Errors + _desk.Output);
        await playing;
        var (directive, envelope) = Assert.Single(device.Directives);
        var root = KeyFolder.Open(_desk.Keys).Root;
        var (result, _) = Acceptance.Judge(envelope, new TrustContext
        {
            Fleet = "default", Device = "belt-1", Root = root, Floors = FloorRules.Begin(root), BuildTime = root.Issued, SynchronizedClock = TimeProvider.System.GetUtcNow(),
        });
        Assert.True(result.IsAccepted, result.Detail);
        Assert.Equal((1, bundle.ReleaseId, TimeSpan.FromDays(2)), (directive.Counter, directive.Release, directive.Expires - directive.Issued));
        Assert.Equal((5, 7, 12.5, Objective.Energy), (directive.Policy.TrialSeconds, directive.Policy.MinimumRuns, directive.Policy.MaximumP95Milliseconds, directive.Policy.Objective));
        Assert.Equal(Digest.Of(bundle.SignatureBytes!.Value.Span), directive.Signature.Digest);
        Assert.Equal([(SourceKind.Http, "https://files.example/garments"), (SourceKind.Mqtt, null)], directive.Sources.Select(source => (source.Kind, source.Location)));
        Assert.Equal("committed", _desk.Json.GetProperty("devices")[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task ASourceThatLacksABlobIsFoundBeforeAnythingIsSigned()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var nginx = await NginxServer.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        Assert.True(await _desk.RunAsync("publish", bundle.Path, nginx.Root, "--url", nginx.Address, "--keys", _desk.Keys) == 0, _desk.Errors);
        using (var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state"))) ledger.AddDevice("belt-1", TimeProvider.System.GetUtcNow());
        Assert.True(await PushAsync(broker, bundle.Path, "--to", "belt-1") == 0, _desk.Errors);
        Assert.Empty(_desk.Errors);
        var golden = bundle.Manifest.Golden.Blob.Digest;
        File.Delete(Path.Combine(nginx.Root, "blobs", "sha256", golden.Hex));
        Assert.Equal(66, await PushAsync(broker, bundle.Path, "--to", "belt-2"));
        Assert.Contains($"has no blob {golden}", _desk.Errors, StringComparison.Ordinal);
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-2");
        Assert.Empty(device.Directives);
        // What cannot be asked from here may well be open to the boards.
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-2", "--source", "http://127.0.0.1:1/x"));
        Assert.Contains("http://127.0.0.1:1/x cannot be asked from here", _desk.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(UpdateState.RolledBack, 10)]
    [InlineData(UpdateState.Rejected, 11)]
    [InlineData(UpdateState.Cancelled, 11)]
    public async Task TheExitCodeSaysTheWorstEnding(UpdateState ending, int expected)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        await using var good = await FieldDevice.ConnectAsync(broker, "belt-1");
        await using var bad = await FieldDevice.ConnectAsync(broker, "belt-2");
        var playing = Task.WhenAll(good.PlayAsync(UpdateState.Committed), bad.PlayAsync(ending, reason: "trial.too-slow"));
        Assert.Equal(expected, await PushAsync(broker, bundle.Path, "--to", "belt-1", "belt-2", "--source", "mqtt", "--wait"));
        await playing;
        Assert.Contains("belt-1 committed", _desk.Output, StringComparison.Ordinal);
        Assert.Contains("trial.too-slow", _desk.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ASilentDeviceEndsTheWaitWith12AfterTheTimeout()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        Assert.Equal(12, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt", "--wait", "--timeout", "1s"));
        Assert.Contains("waiting for the device", _desk.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnEndThatOnlyServeHasSeenEndsTheWait()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        var push = PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt", "--wait", "--timeout", "30s");
        var (_, envelope) = await device.NextAsync();
        using (var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state")))
            Assert.True(ledger.RecordEnd("belt-1", Digest.Of(envelope.Payload.Span), UpdateState.RolledBack, "trial.too-slow", "It was slow.", TimeProvider.System.GetUtcNow()));
        Assert.Equal(10, await push);
        Assert.Contains("trial.too-slow", _desk.Output, StringComparison.Ordinal);
        using var after = Ledger.Open(Path.Combine(_desk.Keys, "state"));
        Assert.Equal("It was slow.", Assert.Single(after.Ends()).Detail);
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt"));
        Assert.Empty(after.Ends());
    }

    [Fact]
    public async Task TwoPushesAtOnceGiveDifferentCountersAndTheNewestStaysOnTheBroker()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var paths = new List<string>();
        for (var seed = 1; seed <= 6; seed++) paths.Add((await _desk.SignedBundleAsync(seed)).Path);
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        var codes = await Task.WhenAll(paths.Select(async path => await Task.Run(() => _desk.CallAsync(
            TestContext.Current.CancellationToken, [.. Arguments(broker, path, "--to", "belt-1", "--source", "mqtt")]))));
        Assert.All(codes, call => Assert.True(call.Code == 0, call.Errors + call.Output));
        await using var late = await FieldDevice.ConnectAsync(broker, "belt-1");
        Assert.Equal(6, (await late.NextAsync()).Directive.Counter);
        await Eventually.TrueAsync(() => device.Directives.Any(seen => seen.Directive.Counter == 6), "the sixth arrives");
        var counters = device.Directives.Select(seen => seen.Directive.Counter).ToList();
        Assert.Equal(counters.Order(), counters);
        Assert.Equal(6, device.Directives.DistinctBy(seen => (seen.Directive.Counter, Digest.Of(seen.Envelope.Payload.Span))).Count());
    }

    [Fact]
    public async Task ALostDatabaseDoesNotCountBackwards()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        for (var i = 0; i < 3; i++) Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt"));
        Directory.Delete(Path.Combine(_desk.Keys, "state"), recursive: true);
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt"));
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        Assert.Equal(4, (await device.NextAsync()).Directive.Counter);
    }

    [Fact]
    public async Task WhatDevicesWouldRefuseIsNotPushed()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys, "--release", "2/2");
        var unsigned = _desk.UnsignedBundle(2);
        Assert.Equal(13, await PushAsync(broker, unsigned, "--to", "belt-1", "--source", "mqtt"));
        Assert.Contains("unsigned", _desk.Errors, StringComparison.Ordinal);
        Assert.Equal(66, await PushAsync(broker, "garments 9.9.9", "--to", "belt-1", "--source", "mqtt"));
        var bundle = await _desk.SignedBundleAsync();
        Assert.Equal(66, await PushAsync(broker, bundle.Path, "--to", "belt-1"));
        Assert.Contains("published nowhere", _desk.Errors, StringComparison.Ordinal);
        Assert.Equal(66, await PushAsync(broker, bundle.Path, "--to", "all", "--source", "mqtt"));
        Assert.Contains("No device is known", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAbsentBrokerIsNamedAndNothingIsIssued()
    {
        await using var broker = MosquittoBroker.Prepare();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        Assert.Equal(69, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt"));
        Assert.Contains("nothing listens there", _desk.Errors, StringComparison.Ordinal);
        await broker.StartAgainAsync();
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "belt-1", "--source", "mqtt", "--json"));
        Assert.Equal(1, _desk.Json.GetProperty("devices")[0].GetProperty("counter").GetInt64());
    }

    [Fact]
    public async Task AllMeansWhoWasPushedToBeforeAndWhomTheBrokerKnows()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        await probe.PublishAsync("dunlin/v1/default/seen-by-broker/status", "{}", retain: true);
        Assert.Equal(0, await PushAsync(broker, bundle.Path, "--to", "pushed-before", "--source", "mqtt"));
        Assert.Equal(0, await PushAsync(broker, bundle.ReleaseId.ToString(), "--to", "all", "--json"));
        Assert.Equal(["pushed-before", "seen-by-broker"], _desk.Json.GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("device").GetString()));
    }

    [Theory]
    [InlineData("--trial", "soon")]
    [InlineData("--source", "ftp://files.example/x")]
    [InlineData("--source", "https://user:secret@files.example/x")]
    [InlineData("--objective", "speed")]
    [InlineData("--to", "Not_A_Name")]
    public async Task AWrongOptionIsNamedBeforeAnythingHappens(string option, string value)
    {
        Assert.Equal(1, await _desk.RunAsync("push", "bundle", "--keys", _desk.Keys, "--to", "belt-1", option, value));
        Assert.Contains(option, _desk.Errors + _desk.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_desk.Keys));
    }

    public void Dispose() => _desk.Dispose();

    private Task<int> PushAsync(MosquittoBroker broker, params string[] arguments) => _desk.RunAsync([.. Arguments(broker, arguments)]);

    private IEnumerable<string> Arguments(MosquittoBroker broker, params string[] arguments) =>
        ["push", .. arguments, "--keys", _desk.Keys, "--broker", broker.Address];
}
