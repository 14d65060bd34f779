using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Ledgers;
using Dunlin.TestKit.Brokers;
using Microsoft.Data.Sqlite;

namespace Dunlin.Fleet.Tests.Pushing;

public sealed class RevokeReleaseTests : IDisposable
{
    // Nobody answers there: what devices are told, they would find out for themselves.
    private const string Server = "http://127.0.0.1:1/garments";
    private readonly Desk _desk = new();

    [Fact]
    public async Task WhoeverMayRunItIsSentBackAndWhatIsNotCertainIsSaid()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, v3) = await BundlesAsync();
        await RanAsync(broker, "told-last", (v1, UpdateState.Committed), (v2, UpdateState.Committed));
        await RanAsync(broker, "fell-back", (v1, UpdateState.Committed), (v2, UpdateState.Committed), (v3, UpdateState.RolledBack));
        await RanAsync(broker, "refused", (v1, UpdateState.Committed), (v2, UpdateState.Committed), (v3, UpdateState.RolledBack), (v3, UpdateState.Rejected));
        await RanAsync(broker, "asleep", (v1, UpdateState.Committed), (v2, UpdateState.Committed), (v3, null));
        await RanAsync(broker, "silent", (v1, UpdateState.Committed), (v2, null), (v3, UpdateState.RolledBack));
        await RanAsync(broker, "past-it", (v1, UpdateState.Committed), (v2, UpdateState.Committed), (v3, UpdateState.Committed), (v1, UpdateState.RolledBack));
        await RanAsync(broker, "never", (v1, UpdateState.Committed), (v2, UpdateState.RolledBack), (v3, null));
        Assert.Equal(0, await RevokeAsync(broker, v2));
        Assert.Equal(v1.ReleaseId.ToString(), _desk.Json.GetProperty("release").GetString());
        Assert.Equal(["asleep", "fell-back", "refused", "silent", "told-last"], _desk.Json.GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("device").GetString()));
        Assert.Contains("Whether asleep, silent run", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TheEarlierReleaseComesFromWhereTheDeviceHadItAndAnEndedWayStrandsItsDeviceOnly()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, _) = await BundlesAsync();
        await RanAsync(broker, "belt-1", (v1, UpdateState.Committed), (v2, UpdateState.Committed));
        var v4 = await _desk.SignedBundleAsync(4);
        await RanAsync(broker, "mqtt", "belt-2", (v4, UpdateState.Committed));
        await RanAsync(broker, "belt-2", (v2, UpdateState.Committed));
        // Its blobs are not at hand any more.
        await using (var database = new SqliteConnection($"Data Source={Path.Combine(_desk.Keys, "state", Ledger.FileName)};Pooling=False"))
        {
            await database.OpenAsync(TestContext.Current.CancellationToken);
            await using var delete = database.CreateCommand();
            delete.CommandText = "DELETE FROM blob";
            await delete.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        Assert.True(await RevokeAsync(broker, v2) == 0, _desk.Errors);
        Assert.Contains("no source of it, for belt-2;", _desk.Errors, StringComparison.Ordinal);
        await using FieldDevice first = await FieldDevice.ConnectAsync(broker, "belt-1"), second = await FieldDevice.ConnectAsync(broker, "belt-2");
        var (directive, _) = await first.NextAsync(3);
        Assert.Equal((v1.ReleaseId, Server), (directive.Release, Assert.Single(directive.Sources).Location));
        // Subscribed to after desired, so that comes before it.
        await second.Probe.NextAsync(second.Topics.Root);
        Assert.Empty(second.Directives);
    }

    [Fact]
    public async Task AReplacementThatCannotBeHadIsFoundBeforeTheReleaseIsRevoked()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, v3) = await BundlesAsync();
        await RanAsync(broker, "belt-1", (v1, UpdateState.Committed), (v2, UpdateState.Committed));
        foreach (var instead in (string[])[v3.Path, v2.Path])
        {
            Assert.Equal(66, await RevokeAsync(broker, v2, "--instead", instead));
            using var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state"));
            Assert.Null(ledger.Release(v2.ReleaseId)!.Revoked);
        }

        Assert.True(await RevokeAsync(broker, v2, "--instead", v3.Path, "--source", "mqtt") == 0, _desk.Errors);
        Assert.Equal(v3.ReleaseId.ToString(), _desk.Json.GetProperty("release").GetString());
    }

    public void Dispose() => _desk.Dispose();

    private async Task<(Bundle First, Bundle Second, Bundle Third)> BundlesAsync()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        return (await _desk.SignedBundleAsync(1), await _desk.SignedBundleAsync(2), await _desk.SignedBundleAsync(3));
    }

    private Task RanAsync(MosquittoBroker broker, string device, params (Bundle Bundle, UpdateState? End)[] story) => RanAsync(broker, Server, device, story);

    /// <summary>Each was pushed, and ended so as far as is known.</summary>
    private async Task RanAsync(MosquittoBroker broker, string source, string device, params (Bundle Bundle, UpdateState? End)[] story)
    {
        foreach (var (bundle, end) in story)
        {
            Assert.True(await _desk.RunAsync("push", bundle.Path, "--to", device, "--source", source, "--keys", _desk.Keys, "--broker", broker.Address) == 0, _desk.Errors);
            using var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state"));
            if (end is { } result) ledger.RecordEnd(device, ledger.Newest(device)[0].Digest, result, null, null, TimeProvider.System.GetUtcNow());
        }
    }

    private Task<int> RevokeAsync(MosquittoBroker broker, Bundle bundle, params string[] more) =>
        _desk.RunAsync(["revoke", "release", bundle.Path, "--keys", _desk.Keys, "--broker", broker.Address, "--json", .. more]);
}
