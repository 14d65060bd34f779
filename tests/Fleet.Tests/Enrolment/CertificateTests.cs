using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Enrolment;
using Dunlin.Fleet.Signing;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;

namespace Dunlin.Fleet.Tests.Enrolment;

/// <summary>Row 30 of the safety promises: who does not show a good certificate does not get in, on either side.</summary>
public sealed class CertificateTests : IDisposable
{
    private readonly Desk _desk = new();

    [Theory]
    [InlineData("expired")]
    [InlineData("future")]
    public async Task TheBrokerRefusesACertificateOfAnotherTime(string when)
    {
        await using var site = await SecureSite.StartAsync(_desk);
        site.Enrol("belt-1", when);
        await RefusedAsync(() => site.ProbeAsync("belt-1", _ => { }));
        await using var good = await site.ProbeAsync("belt-2", _ => { });
    }

    [Fact]
    public async Task TheBrokerRefusesWhoHasNoCertificateOrThatOfAnotherAuthority()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        using var pki = new TestPki();
        await RefusedAsync(() => MqttProbe.ConnectAsync(site.Broker, MqttProbe.WithCertificate(site.CaFile, pki.StrangerClient)));
        await RefusedAsync(() => MqttProbe.ConnectAsync(site.Broker, MqttProbe.WithCertificate(site.CaFile, null)));
    }

    [Fact]
    public async Task ARevokedDeviceIsOutOnceTheBrokerHasTheNewList()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        await using (await site.ProbeAsync("stolen", _ => { }))
        {
            // It gets in.
        }
        Assert.Equal(0, await _desk.RunAsync("revoke", "device", "stolen", "--keys", _desk.Keys, "--json"));
        Assert.Equal(1, _desk.Json.GetProperty("certificateCount").GetInt32());
        File.Copy(Path.Combine(_desk.Keys, "crl.pem"), _desk.At("broker/crl.pem"), overwrite: true);
        var (code, output) = await Tool.RunAsync("openssl", "verify", "-crl_check", "-CRLfile", _desk.At("broker/crl.pem"), "-CAfile", site.CaFile, site.Enrol("stolen").Certificate);
        Assert.True(code != 0 && output.Contains("revoked", StringComparison.Ordinal), output);
        await site.Broker.RestartAsync();
        await RefusedAsync(() => site.ProbeAsync("stolen", _ => { }));
        await using var good = await site.ProbeAsync("belt-2", _ => { });
        Assert.Equal(66, await _desk.RunAsync("revoke", "device", "unknown", "--keys", _desk.Keys));
    }

    [Fact]
    public async Task AListOfTheRevokedThatIsMissingIsNotTakenForAnEmptyOne()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var list = Path.Combine(_desk.Keys, "crl.pem");
        await Tool.SucceedAsync("openssl", "crl", "-in", list, "-CAfile", Path.Combine(_desk.Keys, "ca.pem"), "-noout");
        // As in a folder of an earlier version, where nothing was issued yet.
        File.Delete(list);
        Assert.True(await EnrolAsync("broker-1") == 0, _desk.Errors);
        Assert.True(File.Exists(list));
        File.Delete(list);
        foreach (var code in (int[])[await EnrolAsync("broker-2"), await _desk.RunAsync("revoke", "device", "localhost", "--keys", _desk.Keys)])
        {
            Assert.Equal(66, code);
            Assert.Contains($"'{list}' is not here; bring it back", _desk.Errors, StringComparison.Ordinal);
        }

        Assert.False(File.Exists(list));
        Assert.False(Directory.Exists(_desk.At("broker-2")));

        Task<int> EnrolAsync(string folder) => _desk.RunAsync("enroll-broker", "localhost", "--keys", _desk.Keys, "--out", _desk.At(folder));
    }

    [Theory]
    [InlineData("broker.plant-a.example", "plant-a.example", "broker.plant-a", "broker")]
    [InlineData("10.0.0.7", "10.0.0", "0.0.7", "10")]
    [InlineData("fd00::7", "fd00", "fd00:", "::7")]
    public async Task AHostsCertificatesAreRevokedByItsNameAndByNoPartOfIt(string host, params string[] others)
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        for (var i = 0; i < 2; i++) Assert.True(await _desk.RunAsync("enroll-broker", host, "--keys", _desk.Keys, "--out", _desk.At($"broker-{i}")) == 0, _desk.Errors);
        Assert.All(others, name => Assert.Equal(0, CertificateAuthority.Revoke(KeyFolder.Open(_desk.Keys), new Passphrase(null, _ => null), name, TimeProvider.System.GetUtcNow())));
        Assert.True(await _desk.RunAsync("revoke", "device", host, "--keys", _desk.Keys, "--json") == 0, _desk.Errors);
        Assert.Equal(2, _desk.Json.GetProperty("certificateCount").GetInt32());
        for (var i = 0; i < 2; i++)
        {
            var (code, output) = await Tool.RunAsync("openssl", "verify", "-crl_check", "-CRLfile", Path.Combine(_desk.Keys, "crl.pem"), "-CAfile", _desk.At($"broker-{i}/ca.pem"), _desk.At($"broker-{i}/server.pem"));
            Assert.True(code != 0 && output.Contains("revoked", StringComparison.Ordinal), output);
        }
    }

    [Fact]
    public async Task TheOperatorRefusesABrokerWhoseCertificateIsRevoked()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        var bundle = await _desk.SignedBundleAsync();
        Task<int> PushAsync() => _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls");
        Assert.Equal(0, await PushAsync());
        Assert.Equal(0, await _desk.RunAsync("revoke", "device", "localhost", "--keys", _desk.Keys));
        Assert.Equal(69, await PushAsync());
        Assert.Contains("is revoked by", _desk.Errors, StringComparison.Ordinal);
        File.Delete(Path.Combine(_desk.Keys, "crl.pem"));
        Assert.Equal(66, await PushAsync());
        Assert.Contains("would be believed. Bring it back", _desk.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("expired-server", "is valid from")]
    [InlineData("future-server", "is valid from")]
    [InlineData("wrong-host", "is not for the host")]
    [InlineData("stranger", "is not signed by")]
    public async Task TheOperatorRefusesABrokerThatIsNotTheOwn(string server, string reason)
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        using var pki = new TestPki();
        pki.ServerFiles = server switch
        {
            "expired-server" => pki.ExpiredServer,
            "future-server" => pki.FutureServer,
            "wrong-host" => pki.WrongHostServer,
            _ => pki.Server,
        };
        var trusted = server == "stranger" ? pki.StrangerCaFile : pki.CaFile;
        var mine = pki.IssueClient(AccessList.OperatorName);
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { Pki = pki, Acl = AccessList.Write("default") });
        Assert.Equal(69, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", broker.Address,
            "--ca", trusted, "--cert", mine.Certificate, "--cert-key", mine.Key));
        Assert.Contains(reason, _desk.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _desk.Dispose();

    // TLS 1.3 tells a client of its refusal with the first read, so it may seem to be in for a moment.
    private static async Task RefusedAsync(Func<Task<MqttProbe>> connect)
    {
        MqttProbe? probe = null;
        var refusal = await Record.ExceptionAsync(async () =>
        {
            probe = await connect();
            await probe.PublishAsync(new Topics("default", "belt-1").Status, "{}");
        });
        if (probe is not null) await probe.DisposeAsync();
        Assert.NotNull(refusal);
    }
}
