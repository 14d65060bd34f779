using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Fleet.Tests.Serving;

public sealed class PublisherTests : IDisposable
{
    private readonly Desk _desk = new();

    private string State => Path.Combine(_desk.Keys, "state");

    [Fact]
    public async Task AClearedDirectiveIsNotATakenOne()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await PushAsync(broker);
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--replace", "directive", "--keys", _desk.Keys));
        using var ledger = Ledger.Open(State);
        using var keys = new ServerKeys(KeyFolder.Open(_desk.Keys), new Passphrase(null, _ => null));
        await using var link = new BrokerLink(new MqttOptions { Host = broker.Host, Port = broker.Port }, "serve", [], TimeProvider.System);
        link.Start();
        await link.WaitConnectedAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        using var publisher = new Publisher(keys, ledger, link, TimeProvider.System);
        Assert.Equal(0, await publisher.DirectivesAsync(["belt-1"], TestContext.Current.CancellationToken));
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        await device.Probe.NextAsync(device.Topics.Fresh);
        Assert.Empty(device.Directives);
    }

    [Fact]
    public async Task AnOldCopyOfTheDatabaseTakesNoNewerDirectiveBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var push = await PushAsync(broker);
        Directory.CreateDirectory(_desk.At("copy"));
        File.Copy(Path.Combine(State, Ledger.FileName), Path.Combine(_desk.At("copy"), Ledger.FileName));
        Assert.Equal(0, await _desk.RunAsync(push));
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        Assert.Equal(2, (await device.NextAsync()).Directive.Counter);

        // It publishes everything twice, at its connection and because it is asked to.
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--keys", _desk.Keys, "--state", _desk.At("copy"), "--broker", broker.Address));
        await using var late = await FieldDevice.ConnectAsync(broker, "belt-1");
        Assert.Equal(2, (await late.NextAsync()).Directive.Counter);
        Assert.Single(device.Directives);
        Assert.Equal(0, await _desk.RunAsync([.. push, "--state", _desk.At("copy")]));
        Assert.Equal(3, (await late.NextAsync(3)).Directive.Counter);
    }

    public void Dispose() => _desk.Dispose();

    /// <summary>Pushes once; the command to push again.</summary>
    private async Task<string[]> PushAsync(MosquittoBroker broker)
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        string[] push = ["push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address];
        Assert.Equal(0, await _desk.RunAsync(push));
        return push;
    }
}
