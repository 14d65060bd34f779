using Dunlin.Bundles.Layouts;
using Dunlin.Fleet.Ledgers;
using Dunlin.TestKit.Brokers;
using Microsoft.Data.Sqlite;

namespace Dunlin.Fleet.Tests.Pushing;

public sealed class RetiredDeviceTests : IDisposable
{
    private readonly Desk _desk = new();

    private string State => Path.Combine(_desk.Keys, "state");

    [Fact]
    public async Task ASlipIsComplainedOfAndCanBeTakenBack()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        await probe.PublishAsync("dunlin/v1/default/belt-1/status", "{}", retain: true);
        Assert.Equal(0, await PushAsync(broker, bundle, "belt-1", "blet-1"));
        Assert.Contains("No device of this fleet is called 'blet-1',", _desk.Errors, StringComparison.Ordinal);

        Assert.True(await _desk.RunAsync("revoke", "device", "blet-1", "--keys", _desk.Keys, "--broker", broker.Address, "--json") == 0, _desk.Errors);
        Assert.Equal((true, true, 0), (_desk.Json.GetProperty("isRetired").GetBoolean(), _desk.Json.GetProperty("isCleared").GetBoolean(), _desk.Json.GetProperty("certificateCount").GetInt32()));
        await NothingIsKeptForAsync(broker, "blet-1");
        await using var good = await FieldDevice.ConnectAsync(broker, "belt-1");
        await good.NextAsync();
        Assert.Equal(66, await _desk.RunAsync("revoke", "device", "belt-7", "--keys", _desk.Keys));
    }

    [Fact]
    public async Task ARetiredDeviceIsOutUntilItIsNamedAgain()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var bundle = await PrepareAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        foreach (var device in (string[])["belt-1", "belt-2", "belt-3"])
        {
            Assert.Equal(0, await _desk.RunAsync("enroll", device, "--keys", _desk.Keys, "--out", _desk.At(device), "--broker", "broker.orchard"));
            await probe.PublishAsync($"dunlin/v1/default/{device}/status", "{}", retain: true);
        }

        Assert.Equal(["belt-1", "belt-2", "belt-3"], await PushedAsync(broker, bundle, "all"));
        foreach (var device in (string[])["belt-2", "belt-3"])
        {
            Assert.True(await _desk.RunAsync("revoke", "device", device, "--keys", _desk.Keys, "--json") == 0, _desk.Errors);
            Assert.Equal(1, _desk.Json.GetProperty("certificateCount").GetInt32());
        }

        // Without --broker, whoever connects next clears them; and what the broker said of them does not bring them back.
        Assert.Equal(["belt-1"], await PushedAsync(broker, bundle, "all"));
        await NothingIsKeptForAsync(broker, "belt-2");
        await NothingIsKeptForAsync(broker, "belt-3");

        Assert.Equal(["belt-2"], await PushedAsync(broker, bundle, "belt-2"));
        Assert.Equal(0, await _desk.RunAsync("enroll", "belt-3", "--keys", _desk.Keys, "--out", _desk.At("again"), "--broker", "broker.orchard"));
        Assert.Equal(["belt-1", "belt-2", "belt-3"], await PushedAsync(broker, bundle, "all"));
        using var ledger = Ledger.Open(State);
        Assert.Equal(3, ledger.Counter("belt-2"));
    }

    [Fact]
    public async Task ABrokerThatDoesNotLetItsDirectiveBeTakenAwayIsSaidSo()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Acl = "topic read #\ntopic write dunlin/v1/default/root\ntopic write dunlin/v1/default/+/fresh\n" });
        await PrepareAsync();
        Assert.Equal(0, await _desk.RunAsync("enroll", "belt-1", "--keys", _desk.Keys, "--out", _desk.At("belt-1"), "--broker", "broker.orchard"));
        Assert.Equal(69, await _desk.RunAsync("revoke", "device", "belt-1", "--keys", _desk.Keys, "--broker", broker.Address, "--json"));
        Assert.False(_desk.Json.GetProperty("isCleared").GetBoolean());
    }

    [Fact]
    public async Task ADatabaseOfAnEarlierProgramIsTaken()
    {
        using (var ledger = Ledger.Open(State)) ledger.AddDevice("belt-1", TimeProvider.System.GetUtcNow());
        await using (var database = new SqliteConnection($"Data Source={Path.Combine(State, Ledger.FileName)};Pooling=False"))
        {
            await database.OpenAsync(TestContext.Current.CancellationToken);
            await using var drop = database.CreateCommand();
            drop.CommandText = "DROP TABLE retired";
            await drop.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        using var again = Ledger.Open(State);
        Assert.Equal(["belt-1"], again.Devices());
        Assert.True(again.Retire("belt-1", TimeProvider.System.GetUtcNow()));
        Assert.Empty(again.Devices());
    }

    public void Dispose() => _desk.Dispose();

    private async Task<Bundle> PrepareAsync()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        return await _desk.SignedBundleAsync();
    }

    private Task<int> PushAsync(MosquittoBroker broker, Bundle bundle, params string[] devices) =>
        _desk.RunAsync(["push", bundle.Path, "--to", .. devices, "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address, "--json"]);

    private async Task<IEnumerable<string?>> PushedAsync(MosquittoBroker broker, Bundle bundle, params string[] devices)
    {
        Assert.True(await PushAsync(broker, bundle, devices) == 0, _desk.Errors);
        return _desk.Json.GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("device").GetString());
    }

    // The root is subscribed to last of these: what else is kept comes before it.
    private static async Task NothingIsKeptForAsync(MosquittoBroker broker, string device)
    {
        await using var stranger = await FieldDevice.ConnectAsync(broker, device);
        await stranger.Probe.NextAsync(stranger.Topics.Root);
        Assert.Empty(stranger.Directives);
        Assert.DoesNotContain(stranger.Probe.Messages, message => message.Topic == stranger.Topics.Fresh && message.Payload.Length > 0);
    }
}
