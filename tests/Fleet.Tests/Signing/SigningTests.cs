using Dunlin.Bundles.Layouts;
using Dunlin.Bundles.Trust;
using Dunlin.Fleet.Signing;
using Dunlin.TestKit.Machine;

namespace Dunlin.Fleet.Tests.Signing;

public sealed class SigningTests : IDisposable
{
    private const string Secret = "a quiet pond";
    private readonly Desk _desk = new();

    [Fact]
    public async Task TheFirstRootCanBeInstalledAndKeysAreTheOwnersAlone()
    {
        if (OperatingSystem.IsWindows()) { Assert.Skip("File modes are Unix's."); return; }
        Assert.Equal(0, await _desk.RunAsync("keys", "init", _desk.Keys, "--fleet", "orchard", "--fresh-key"));
        var (result, root) = RootRotation.Install(KeyFolder.Open(_desk.Keys).Envelope);
        Assert.True(result.IsAccepted, result.Detail);
        Assert.Equal(("orchard", 1), (root!.Fleet, root.Version));
        foreach (var key in (string[])["root.pem", "release.pem", "directive.pem", "fresh.pem"])
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_desk.Keys, key)));
    }

    [Fact]
    public async Task KeysAreNeverOverwritten()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var before = File.ReadAllText(Path.Combine(_desk.Keys, "root.pem"));
        Assert.Equal(73, await _desk.RunAsync("keys", "init", _desk.Keys));
        Assert.Contains("never overwritten", _desk.Errors, StringComparison.Ordinal);
        Assert.Equal(before, File.ReadAllText(Path.Combine(_desk.Keys, "root.pem")));
    }

    [Fact]
    public async Task ASignedBundleKeepsItsReleaseIdAndIsAcceptedByTheRoot()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var path = _desk.UnsignedBundle();
        var id = Bundle.Open(path).ReleaseId;
        Assert.Equal(0, await _desk.RunAsync("sign", path, "--keys", _desk.Keys));
        var signed = Bundle.Open(path);
        Assert.Equal(id, signed.ReleaseId);
        Assert.True(EnvelopeVerifier.Verify(signed.Signature!, SigningRole.Release, KeyFolder.Open(_desk.Keys).Root).IsAccepted);
    }

    [Fact]
    public async Task WithoutKeysNothingIsSigned()
    {
        Assert.Equal(66, await _desk.RunAsync("sign", _desk.UnsignedBundle(), "--keys", _desk.Keys));
        Assert.Contains("keys init", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TwoOfThreeReleaseKeysSignInTwoPlacesOneAfterTheOther()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys, "--release", "2/3", "--root", "2/3");
        var path = _desk.UnsignedBundle();
        var second = _desk.At("elsewhere.pem");
        File.Move(Path.Combine(_desk.Keys, "release-2.pem"), second);
        File.Move(Path.Combine(_desk.Keys, "release-3.pem"), _desk.At("lost.pem"));
        Assert.Equal(13, await _desk.RunAsync("sign", path, "--keys", _desk.Keys, "--json"));
        Assert.False(_desk.Json.GetProperty("isComplete").GetBoolean());
        File.Delete(Path.Combine(_desk.Keys, "release-1.pem"));
        Assert.Equal(0, await _desk.RunAsync("sign", path, "--keys", _desk.Keys, "--key", second, "--json"));
        Assert.Equal(2, _desk.Json.GetProperty("signers").GetArrayLength());
    }

    [Fact]
    public async Task AKeyOfAnotherFleetIsRefusedWithTheIdsThatWouldDo()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await _desk.RunAsync("keys", "init", _desk.At("others"));
        File.Delete(Path.Combine(_desk.Keys, "release.pem"));
        Assert.Equal(66, await _desk.RunAsync("sign", _desk.UnsignedBundle(), "--keys", _desk.Keys, "--key", _desk.At("others/release.pem")));
        Assert.Contains(KeyFolder.Open(_desk.Keys).Root.Roles.Release.KeyIds[0][..12], _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task APassphraseIsNeededForWhatItProtectsAndOpensslOpensItToo()
    {
        var secretFile = _desk.At("secret");
        await File.WriteAllTextAsync(secretFile, Secret + "\n", TestContext.Current.CancellationToken);
        Assert.Equal(0, await _desk.RunAsync("keys", "init", _desk.Keys, "--passphrase-file", secretFile));
        Assert.Equal(0, await _desk.RunAsync("keys", "show", _desk.Keys, "--json"));
        var roles = _desk.Json.GetProperty("roles").EnumerateArray().ToDictionary(role => role.GetProperty("role").GetString()!, role => role.GetProperty("keys")[0]);
        Assert.True(roles["release"].GetProperty("isEncrypted").GetBoolean());
        Assert.False(roles["directive"].GetProperty("isEncrypted").GetBoolean());

        var path = _desk.UnsignedBundle();
        await File.WriteAllTextAsync(_desk.At("wrong"), "another pond\n", TestContext.Current.CancellationToken);
        Assert.Equal(77, await _desk.RunAsync("sign", path, "--keys", _desk.Keys, "--passphrase-file", _desk.At("wrong")));
        Assert.Equal(77, await _desk.RunAsync("sign", path, "--keys", _desk.Keys));
        Assert.Equal(0, await _desk.RunAsync("sign", path, "--keys", _desk.Keys, "--passphrase-file", secretFile));
        Assert.DoesNotContain(Secret, _desk.Everything, StringComparison.Ordinal);
        var (code, output) = await Tool.RunAsync("openssl", "pkey", "-in", Path.Combine(_desk.Keys, "release.pem"), "-passin", "file:" + secretFile, "-noout");
        Assert.True(code == 0, output);
    }

    public void Dispose() => _desk.Dispose();
}
