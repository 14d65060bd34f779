using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Signing;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;

namespace Dunlin.Fleet.Tests.Rotating;

public sealed class RotateRootTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task AfterTheOnlineKeyIsReplacedDevicesFollowTheChainAndTheOldDirectiveIsGone()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var first = KeyFolder.Open(_desk.Keys).Root;
        var bundle = await _desk.SignedBundleAsync();
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--replace", "directive", "--keys", _desk.Keys, "--broker", broker.Address));
        await using var device = await FieldDevice.ConnectAsync(broker, "belt-1");
        var chain = RootChain.Format.Read((await device.Probe.NextAsync(device.Topics.Root)).Payload).Value!;
        var (result, second, _) = RootRotation.Follow(first, chain.Roots, first.Issued);
        Assert.True(result.IsAccepted, result.Detail);
        Assert.Equal(2, second.Version);
        Assert.Empty(first.Roles.Directive.KeyIds.Intersect(second.Roles.Directive.KeyIds.Concat(second.Roles.Fresh.KeyIds)));
        var fresh = DsseEnvelope.Format.Read((await device.Probe.NextAsync(device.Topics.Fresh)).Payload).Value!;
        Assert.True(EnvelopeVerifier.Verify(fresh, SigningRole.Fresh, second).IsAccepted);
        Assert.Empty(device.Directives);

        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--keys", _desk.Keys, "--broker", broker.Address));
        var (_, envelope) = await device.NextAsync();
        Assert.True(EnvelopeVerifier.Verify(envelope, SigningRole.Directive, second).IsAccepted);
        Assert.Equal(0, FloorRules.Under(FloorRules.Begin(first) with { Counter = 99 }, second).Counter);
    }

    [Fact]
    public async Task AChainThatTheBrokerRefusesIsNotCalledPublished()
    {
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Acl = "topic read #\ntopic write dunlin/v1/default/+/fresh\ntopic write dunlin/v1/default/+/desired\n" });
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address));
        Assert.Equal(69, await _desk.RunAsync("rotate-root", "--days", "100", "--keys", _desk.Keys, "--broker", broker.Address));
        Assert.Contains("Root 2 of the fleet 'default' is in force here", _desk.Output, StringComparison.Ordinal);
        Assert.Contains("the broker has not taken it", _desk.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("and published", _desk.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AChainThatDevicesWouldNotTakeIsRefusedBeforeAnythingChanges()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys, "--root", "5/5", "--release", "9/9");
        var code = 0;
        for (var i = 0; i < 200 && code == 0; i++) code = await _desk.RunAsync("rotate-root", "--days", $"{100 + i}", "--keys", _desk.Keys);
        Assert.Equal(73, code);
        Assert.Contains("devices take 131072 at most; move the oldest files", _desk.Errors, StringComparison.Ordinal);
        var folder = KeyFolder.Open(_desk.Keys);
        Assert.True(RootChain.Format.Write(new RootChain { Schema = RootChain.CurrentSchema, Roots = folder.Chain() }).Length <= 128 * 1024);
        for (var version = 1; version < 10; version++) File.Move(Path.Combine(_desk.Keys, "roots", $"{version}.json"), _desk.At($"{version}.json"));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--days", "99", "--keys", _desk.Keys));
    }

    [Fact]
    public async Task TwoOfThreeRootKeysSignOneAfterTheOther()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys, "--root", "2/3");
        foreach (var number in (int[])[2, 3]) File.Move(Path.Combine(_desk.Keys, $"root-{number}.pem"), _desk.At($"root-{number}.pem"));
        Assert.Equal(13, await _desk.RunAsync("rotate-root", "--days", "100", "--keys", _desk.Keys, "--json"));
        Assert.Equal(1, _desk.Json.GetProperty("oldSigners").GetInt32());
        Assert.Equal(1, KeyFolder.Open(_desk.Keys).Root.Version);
        Assert.Equal(73, await _desk.RunAsync("rotate-root", "--days", "200", "--keys", _desk.Keys));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--keys", _desk.Keys, "--key", _desk.At("root-3.pem")));
        var folder = KeyFolder.Open(_desk.Keys);
        Assert.Equal((2, TimeSpan.FromDays(100)), (folder.Root.Version, folder.Root.Expires - folder.Root.Issued));
        Assert.Equal(2, folder.Chain().Count);
    }

    [Fact]
    public async Task ADraftOfARootThatWasCompletedElsewhereIsPutAwayAndTheGoodRootStays()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys, "--root", "2/3");
        var first = KeyFolder.Open(_desk.Keys).Root;
        foreach (var number in (int[])[2, 3]) File.Move(Path.Combine(_desk.Keys, $"root-{number}.pem"), _desk.At($"root-{number}.pem"));
        Assert.Equal(13, await _desk.RunAsync("rotate-root", "--replace", "directive", "--keys", _desk.Keys));
        await Tool.SucceedAsync("cp", "-r", _desk.Keys, _desk.At("copy"));
        File.Delete(_desk.At("copy/root-1.pem"));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--keys", _desk.At("copy"), "--key", _desk.At("root-2.pem")));
        await Tool.SucceedAsync("cp", "-r", _desk.At("copy/root.json"), _desk.At("copy/roots"), _desk.Keys);

        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--keys", _desk.Keys, "--broker", broker.Address));
        var folder = KeyFolder.Open(_desk.Keys);
        var (result, second, _) = RootRotation.Follow(first, folder.Chain(), first.Issued);
        Assert.True(result.IsAccepted, result.Detail);
        Assert.Equal((2, 2), (second.Version, folder.Root.Version));
        Assert.Contains("was a draft of root 2", _desk.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(_desk.Keys, "next-root.json")));
    }

    [Fact]
    public async Task ALostRootKeyIsReplacedByTheOthers()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys, "--root", "2/3");
        var first = KeyFolder.Open(_desk.Keys).Root;
        File.Delete(Path.Combine(_desk.Keys, "root-2.pem"));
        using (var key = SigningKey.Generate()) KeyFile.Create(_desk.At("new.pem"), key, null);
        await Tool.SucceedAsync("openssl", "pkey", "-in", _desk.At("new.pem"), "-pubout", "-out", _desk.At("new.pub"));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--remove", first.Roles.Root.KeyIds[1][..10], "--add", $"root={_desk.At("new.pub")}", "--keys", _desk.Keys));
        var second = KeyFolder.Open(_desk.Keys).Root;
        Assert.Equal(3, second.Roles.Root.KeyIds.Count);
        Assert.DoesNotContain(first.Roles.Root.KeyIds[1], second.Keys.Keys);
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--threshold", "root=3", "--key", _desk.At("new.pem"), "--keys", _desk.Keys));
        var (result, third, _) = RootRotation.Follow(first, KeyFolder.Open(_desk.Keys).Chain(), first.Issued);
        Assert.True(result.IsAccepted, result.Detail);
        Assert.Equal((3, 3), (third.Version, third.Roles.Root.Threshold));
    }

    // The directive keys sign the beacon until a key of its own is named.
    [Fact]
    public async Task TheBeaconGetsAKeyAndAThresholdOfItsOwnAndStillLosesTheStolenOne()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var first = KeyFolder.Open(_desk.Keys).Root;
        using var key = SigningKey.Generate();
        KeyFile.Create(_desk.At("beacon.pem"), key, null);
        await Tool.SucceedAsync("openssl", "pkey", "-in", _desk.At("beacon.pem"), "-pubout", "-out", _desk.At("beacon.pub"));
        Assert.True(await _desk.RunAsync("rotate-root", "--add", $"fresh={_desk.At("beacon.pub")}", "--keys", _desk.Keys) == 0, _desk.Errors);
        var second = KeyFolder.Open(_desk.Keys).Root;
        Assert.Equal([.. first.Roles.Directive.KeyIds, key.KeyId], second.Roles.Fresh.KeyIds);
        Assert.Equal(first.Roles.Directive.KeyIds, second.Roles.Directive.KeyIds);
        Assert.True(await _desk.RunAsync("rotate-root", "--threshold", "fresh=2", "--keys", _desk.Keys) == 0, _desk.Errors);
        var third = KeyFolder.Open(_desk.Keys).Root;
        Assert.Equal((2, 1), (third.Roles.Fresh.Threshold, third.Roles.Directive.Threshold));
    }

    [Fact]
    public async Task AStolenDirectiveKeyLeavesTheBeaconAlsoWhileThatGetsAnother()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var first = KeyFolder.Open(_desk.Keys).Root;
        using var key = SigningKey.Generate();
        KeyFile.Create(_desk.At("beacon.pem"), key, null);
        await Tool.SucceedAsync("openssl", "pkey", "-in", _desk.At("beacon.pem"), "-pubout", "-out", _desk.At("beacon.pub"));
        Assert.True(await _desk.RunAsync("rotate-root", "--replace", "directive", "--add", $"fresh={_desk.At("beacon.pub")}", "--keys", _desk.Keys) == 0, _desk.Errors);
        var second = KeyFolder.Open(_desk.Keys).Root;
        Assert.Equal([.. second.Roles.Directive.KeyIds, key.KeyId], second.Roles.Fresh.KeyIds);
        Assert.DoesNotContain(first.Roles.Directive.KeyIds[0], second.Keys.Keys);
    }

    [Fact]
    public async Task NewOfflineKeysArePlainOnlyWhereNoPassphraseIsAtHandAndTheOldOnesHadNone()
    {
        var secret = _desk.At("secret");
        await File.WriteAllTextAsync(secret, "a quiet pond\n", TestContext.Current.CancellationToken);
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--replace", "release", "directive", "--keys", _desk.Keys, "--passphrase-file", secret));
        Assert.Equal((true, false), (IsEncrypted("release-r2.pem"), IsEncrypted("directive-r2.pem")));
        Assert.Equal(77, await _desk.RunAsync("rotate-root", "--replace", "release", "--keys", _desk.Keys));
        Assert.False(File.Exists(Path.Combine(_desk.Keys, "release-r3.pem")));
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--replace", "root", "--keys", _desk.Keys));
        Assert.False(IsEncrypted("root-r3.pem"));

        bool IsEncrypted(string file) => KeyFile.TryRead(Path.Combine(_desk.Keys, file))!.IsEncrypted;
    }

    [Theory]
    [InlineData("--threshold", "release=4")]
    [InlineData("--remove", "ffffffffffffffff")]
    [InlineData("--add", "release=/nowhere.pem")]
    public async Task AnImpossibleRootIsRefusedAndTheOldOneStays(string option, string value)
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.Equal(66, await _desk.RunAsync("rotate-root", option, value, "--keys", _desk.Keys));
        Assert.Equal(1, KeyFolder.Open(_desk.Keys).Root.Version);
        Assert.False(File.Exists(Path.Combine(_desk.Keys, "next-root.json")));
    }

    public void Dispose() => _desk.Dispose();
}
