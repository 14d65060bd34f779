using Dunlin.Bundles.Trust;
using Dunlin.Fleet.Serving;
using Dunlin.Fleet.Signing;

namespace Dunlin.Fleet.Tests.Serving;

public sealed class ServerKeysTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task ARootWhoseKeysAreNotAtHandIsNotTakenUpByHalves()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        using var keys = new ServerKeys(KeyFolder.Open(_desk.Keys), new Passphrase(null, _ => null));
        var old = Directory.GetFiles(_desk.Keys, "*.pem");
        Assert.Equal(0, await _desk.RunAsync("rotate-root", "--replace", "directive", "--keys", _desk.Keys));
        var made = Directory.GetFiles(_desk.Keys, "*.pem").Except(old).ToList();
        foreach (var file in made) File.Move(file, _desk.At(Path.GetFileName(file)));
        for (var i = 0; i < 2; i++) Assert.Throws<FleetException>(() => keys.Refresh());
        Assert.Equal(1, keys.Root.Version);
        Assert.True(IsVouchedFor(keys));
        foreach (var file in made) File.Move(_desk.At(Path.GetFileName(file)), file);
        Assert.True(keys.Refresh());
        Assert.True(IsVouchedFor(keys));
        Assert.Equal(2, keys.Root.Version);
    }

    public void Dispose() => _desk.Dispose();

    private static bool IsVouchedFor(ServerKeys keys) =>
        keys.Vouches(SigningRole.Fresh, keys.SignFresh("belt-1", 1, keys.Root.Issued, TimeSpan.FromDays(1)));
}
