using Dunlin.Bundles.Layouts;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Fleet.Pushing;
using Dunlin.Fleet.Signing;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

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

    [Fact]
    public async Task AnEarlierReleaseThatThePresentRootDoesNotAcceptIsPassedOverAndStopsNoOtherDevice()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, v3) = await BundlesAsync();
        await RanAsync(broker, "belt-1", (v1, UpdateState.Committed), (v3, UpdateState.Committed));
        await RanAsync(broker, "belt-2", (v2, UpdateState.Committed), (v3, UpdateState.Committed));
        await RanAsync(broker, "belt-3", (v2, UpdateState.Committed), (v1, UpdateState.Committed), (v3, UpdateState.Committed));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--replace", "release", "--keys", _desk.Keys));
        Assert.Equal(0, await _desk.RunAsync("sign", v2.Path, "--keys", _desk.Keys));
        Assert.Equal(0, await _desk.RunAsync("publish", v2.Path, "mqtt", "--keys", _desk.Keys));

        Assert.Equal(13, await RevokeAsync(broker, v3.ReleaseId.ToString(), "--instead", v1.ReleaseId.ToString()));
        Assert.False(IsRevoked(v3));
        Assert.True(await RevokeAsync(broker, v3.ReleaseId.ToString()) == 0, _desk.Errors);
        Assert.Contains("for belt-1;", _desk.Errors, StringComparison.Ordinal);
        Assert.Equal(["belt-2", "belt-3"], _desk.Json.GetProperty("devices").EnumerateArray().Select(device => device.GetProperty("device").GetString()));
        await using var third = await FieldDevice.ConnectAsync(broker, "belt-3");
        Assert.Equal(v2.ReleaseId, (await third.NextAsync(4)).Directive.Release);
    }

    [Fact]
    public async Task ATrialThatNoDirectiveMayAskForIsRefusedBeforeTheReleaseIsRevoked()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, _) = await BundlesAsync();
        await RanAsync(broker, "belt-1", (v1, UpdateState.Committed), (v2, UpdateState.Committed));
        Assert.Equal(1, await RevokeAsync(broker, v2, "--trial", "8d"));
        Assert.Contains("--trial must be at most 7d", _desk.Errors, StringComparison.Ordinal);
        Assert.False(IsRevoked(v2));
        Assert.True(await RevokeAsync(broker, v2, "--trial", "7d") == 0, _desk.Errors);
    }

    [Fact]
    public async Task APlanThatIsRefusedIsNamedWithItsDevicesAndTheOthersGoOn()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, _) = await BundlesAsync();
        await RanAsync(broker, "belt-2", (v1, UpdateState.Committed));
        using StringWriter output = new(), errors = new();
        var setup = new FleetSetup(_desk.Keys, Path.Combine(_desk.Keys, "state"), new MqttOptions { Host = broker.Host, Port = broker.Port }, new Passphrase(null, _ => null), TimeProvider.System);
        using var ledger = setup.OpenLedger();
        await using var push = new Push(setup, ledger, "default", new Speaker(output, errors, IsJson: true), null, NullLogger.Instance);
        await push.FindDevicesAsync(["belt-1", "belt-2"], TestContext.Current.CancellationToken);
        // The database does not know v2.
        var code = await push.RunAsync([(Plan(v2), ["belt-1"]), (Plan(v1), ["belt-2"])], new Waiting(false, TimeSpan.Zero), TestContext.Current.CancellationToken);
        Assert.Equal(66, code);
        Assert.Contains("belt-1", errors.ToString().Split('\n').Single(line => line.Contains("is not in the fleet's database", StringComparison.Ordinal)), StringComparison.Ordinal);
        await using var second = await FieldDevice.ConnectAsync(broker, "belt-2");
        Assert.Equal(v1.ReleaseId, (await second.NextAsync(2)).Directive.Release);

        static PushPlan Plan(Bundle bundle) => new()
        {
            Release = KnownRelease.Of(bundle), Sources = [new ArtifactSource { Kind = SourceKind.Http, Location = Server }], Validity = TimeSpan.FromDays(1),
            Policy = new DirectivePolicy { TrialSeconds = 60, MinimumRuns = 1 },
        };
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task EachDeviceIsReportedWithTheReleaseThatItGoesBackTo(bool isJson)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var (v1, v2, v3) = await BundlesAsync();
        await RanAsync(broker, "belt-1", (v1, UpdateState.Committed), (v3, UpdateState.Committed));
        await RanAsync(broker, "belt-2", (v2, UpdateState.Committed), (v3, UpdateState.Committed));
        string[] revoke = ["revoke", "release", v3.Path, "--keys", _desk.Keys, "--broker", broker.Address];
        Assert.True(await _desk.RunAsync(isJson ? [.. revoke, "--json"] : revoke) == 0, _desk.Errors);
        if (isJson)
        {
            Assert.Equal([("belt-1", $"{v1.ReleaseId}"), ("belt-2", $"{v2.ReleaseId}")], _desk.Json.GetProperty("devices").EnumerateArray().Select(device => (device.GetProperty("device").GetString()!, device.GetProperty("release").GetString()!)));
            return;
        }

        var sentences = _desk.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, sentences.Length);
        Assert.Contains($"({ReleaseChoice.Short(v1.ReleaseId)}) is desired of 1 devices: belt-1 (3)", sentences[0], StringComparison.Ordinal);
        Assert.Contains($"({ReleaseChoice.Short(v2.ReleaseId)}) is desired of 1 devices: belt-2 (3)", sentences[1], StringComparison.Ordinal);
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

    private bool IsRevoked(Bundle bundle)
    {
        using var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state"));
        return ledger.Release(bundle.ReleaseId)!.Revoked is not null;
    }

    private Task<int> RevokeAsync(MosquittoBroker broker, Bundle bundle, params string[] more) => RevokeAsync(broker, bundle.Path, more);

    private Task<int> RevokeAsync(MosquittoBroker broker, string release, params string[] more) =>
        _desk.RunAsync(["revoke", "release", release, "--keys", _desk.Keys, "--broker", broker.Address, "--json", .. more]);
}
