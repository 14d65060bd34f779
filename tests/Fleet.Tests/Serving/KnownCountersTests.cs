using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dunlin.Fleet.Tests.Serving;

/// <summary>A fleet with two databases, as when somebody pushes from another machine than that of <c>serve</c>.</summary>
public sealed class KnownCountersTests : IDisposable
{
    private readonly Desk _desk = new();

    private string State => Path.Combine(_desk.Keys, "state");

    [Fact]
    public async Task WhatAnotherPushedWhileServeWasAwayIsNotTakenBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var push = await PushAsync(broker);
        await using var cable = new FaultyLink(broker.Host, broker.Port);
        using var ledger = Ledger.Open(State);
        await using (var server = Server(ledger, cable.Host, cable.Port))
        {
            server.Start();
            await Eventually.TrueAsync(() => HasPublished(broker.Log), "it publishes");
            cable.IsRefusing = true;
            cable.Cut();
            Assert.True(await _desk.RunAsync([.. push, "--state", _desk.At("copy")]) == 0, _desk.Errors);
            var before = broker.Log.Length;
            cable.IsRefusing = false;
            await Eventually.TrueAsync(() => HasPublished(broker.Log[before..]), "it publishes again");
        }
        Assert.Equal(2, ledger.Counter("belt-1"));
        await using var late = await FieldDevice.ConnectAsync(broker, "belt-1");
        Assert.Equal(2, (await late.NextAsync()).Directive.Counter);
    }

    [Fact]
    public async Task WhatAnotherPushesBesideServeIsCountedToo()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var push = await PushAsync(broker);
        using var ledger = Ledger.Open(State);
        await using var server = Server(ledger, broker.Host, broker.Port);
        server.Start();
        await Eventually.TrueAsync(() => HasPublished(broker.Log), "it publishes");
        Assert.True(await _desk.RunAsync([.. push, "--state", _desk.At("copy")]) == 0, _desk.Errors);
        await Eventually.TrueAsync(
            async () =>
            {
                await server.AnswerAsync(new ControlRequest(ControlVerb.Beacon), TestContext.Current.CancellationToken);
                return ledger.Counter("belt-1") == 2;
            },
            "the counter is learnt");
    }

    // Mosquitto sends 20 messages that it keeps, and the next ones when those are acknowledged: on a slow link with long pauses between.
    [Fact]
    public async Task OnASlowLinkAllDevicesAndAllCountersAreWaitedFor()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        var devices = Enumerable.Range(1, 50).Select(i => $"belt-{i}").ToList();
        await using (var probe = await MqttProbe.ConnectAsync(broker))
            foreach (var device in devices) await probe.PublishAsync($"dunlin/v1/default/{device}/status", "{}", retain: true);
        string[] push = ["push", bundle.Path, "--to", "all", "--source", "mqtt", "--keys", _desk.Keys, "--json"];
        Assert.True(await _desk.RunAsync([.. push, "--broker", broker.Address]) == 0, _desk.Errors);
        await using var slow = new FaultyLink(broker.Host, broker.Port) { Delay = TimeSpan.FromMilliseconds(250) };
        Assert.True(await _desk.RunAsync([.. push, "--broker", $"{slow.Host}:{slow.Port}", "--state", _desk.At("lost")]) == 0, _desk.Errors);
        var counters = _desk.Json.GetProperty("devices").EnumerateArray().ToDictionary(device => device.GetProperty("device").GetString()!, device => device.GetProperty("counter").GetInt64());
        Assert.Equal(devices.Order(StringComparer.Ordinal), counters.Keys.Order(StringComparer.Ordinal));
        Assert.All(counters, counter => Assert.Equal(2, counter.Value));
    }

    public void Dispose() => _desk.Dispose();

    private static bool HasPublished(string log) => log.Split('\n').Any(line => line.Contains("Received PUBLISH from keeper", StringComparison.Ordinal) && line.Contains("belt-1/fresh'", StringComparison.Ordinal));

    private FleetServer Server(Ledger ledger, string host, int port) => new(
        new ServerKeys(KeyFolder.Open(_desk.Keys), new Passphrase(null, _ => null)), ledger, new PublishedBlobs(State),
        new MqttOptions { Host = host, Port = port }, "keeper", TimeProvider.System, NullLogger.Instance);

    /// <summary>Pushes once, and makes a copy of the database; the command to push again.</summary>
    private async Task<string[]> PushAsync(MosquittoBroker broker)
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        string[] push = ["push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address];
        Assert.True(await _desk.RunAsync(push) == 0, _desk.Errors);
        Directory.CreateDirectory(_desk.At("copy"));
        File.Copy(Path.Combine(State, Ledger.FileName), Path.Combine(_desk.At("copy"), Ledger.FileName));
        return push;
    }
}
