using System.Text.Json;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Ledgers;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Fleet.Tests.Enrolment;

public sealed class EnrolTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task TheFolderHoldsAllThatABoardNeedsAndOpensslVerifiesIt()
    {
        if (OperatingSystem.IsWindows()) { Assert.Skip("File modes are Unix's."); return; }
        await _desk.RunAsync("keys", "init", _desk.Keys, "--fleet", "orchard");
        Assert.Equal(0, await _desk.RunAsync("enroll", "belt-1", "--keys", _desk.Keys, "--out", _desk.At("belt-1"), "--broker", "broker.orchard:8884", "--set", "Camera:Source=rpicam:0", "--json"));
        Assert.Equal("belt-1", _desk.Json.GetProperty("name").GetString());
        Assert.Equal(["agent.json", "ca.pem", "device.key", "device.pem", "install.sh", "mosquitto.acl", "root.json"], Directory.GetFiles(_desk.At("belt-1")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        await Tool.SucceedAsync("openssl", "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", _desk.At("belt-1/ca.pem"), _desk.At("belt-1/device.pem"));
        Assert.Contains("CN = belt-1", await Tool.SucceedAsync("openssl", "x509", "-in", _desk.At("belt-1/device.pem"), "-noout", "-subject"), StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_desk.At("belt-1/device.key")));
        await Tool.SucceedAsync("sh", "-n", _desk.At("belt-1/install.sh"));
        Assert.True(RootRotation.Install(DsseEnvelope.Format.Read(File.ReadAllBytes(_desk.At("belt-1/root.json"))).Value!).Result.IsAccepted);
        using var configuration = JsonDocument.Parse(File.ReadAllText(_desk.At("belt-1/agent.json")));
        Assert.Equal("belt-1", configuration.RootElement.GetProperty("Device").GetProperty("Id").GetString());
        Assert.Equal("broker.orchard", configuration.RootElement.GetProperty("Mqtt").GetProperty("Host").GetString());
        Assert.Equal("rpicam:0", configuration.RootElement.GetProperty("Camera").GetProperty("Source").GetString());
        using var ledger = Ledger.Open(Path.Combine(_desk.Keys, "state"));
        Assert.Equal(["belt-1"], ledger.Devices());
        Assert.Equal(73, await _desk.RunAsync("enroll", "belt-2", "--keys", _desk.Keys, "--out", _desk.At("belt-1"), "--broker", "broker.orchard"));
    }

    [Fact]
    public async Task ListsAreSetEntryByEntryAsConfigurationReadsThem()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.True(await _desk.RunAsync("enroll", "belt-1", "--keys", _desk.Keys, "--out", _desk.At("belt-1"), "--broker", "broker.orchard", "--set", "Updates:InsecureHosts:0=registry:5000",
            "--set", "Updates:Credentials:0:Host=registry:5000", "--set", "Updates:Credentials:0:UserName=belt-1", "--set", "Updates:Credentials:0:PasswordFile=/etc/dunlin/p=w", "--set", "Mqtt:KeepAliveSeconds=20") == 0, _desk.Errors);
        using var configuration = JsonDocument.Parse(File.ReadAllText(_desk.At("belt-1/agent.json")));
        var updates = configuration.RootElement.GetProperty("Updates");
        Assert.Equal("registry:5000", updates.GetProperty("InsecureHosts").GetProperty("0").GetString());
        Assert.Equal(["registry:5000", "belt-1", "/etc/dunlin/p=w"], updates.GetProperty("Credentials").GetProperty("0").EnumerateObject().Select(setting => setting.Value.GetString()));
        var mqtt = configuration.RootElement.GetProperty("Mqtt");
        Assert.Equal(("broker.orchard", "20"), (mqtt.GetProperty("Host").GetString(), mqtt.GetProperty("KeepAliveSeconds").GetString()));
        foreach (var wrong in (string[])["Mqtt=1", "Mqtt:=1", ":Host=1", "Updates:AllowedHosts::0=1", "Mqtt:Host"])
            Assert.Equal(1, await _desk.RunAsync("enroll", "belt-2", "--keys", _desk.Keys, "--broker", "broker.orchard", "--set", wrong));
    }

    // What docs/fleet.md says to type, and to do with the folder.
    [Fact]
    public async Task TheFolderForTheBrokerRunsMosquittoAsItsOwnUser()
    {
        if (OperatingSystem.IsWindows()) { Assert.Skip("File modes are Unix's."); return; }
        Tool.SkipUnlessInstalled("mosquitto");
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.True(await _desk.RunAsync("enroll-broker", "broker.plant-a.example", "--keys", _desk.Keys, "--out", _desk.At("broker")) == 0, _desk.Errors);
        // All can get to the place, as to /etc/mosquitto.
        File.SetUnixFileMode(_desk.At("."), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherExecute);
        var (folder, key) = (_desk.At("dunlin"), _desk.At("dunlin/server.key"));
        await Tool.SucceedAsync("cp", "-rT", _desk.At("broker"), folder);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(key));
        await Tool.SucceedAsync("chgrp", "mosquitto", key);
        await Tool.SucceedAsync("chmod", "640", key);
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { User = "mosquitto", ConfigurationOf = Configuration });
        Assert.DoesNotContain("Error", broker.Log, StringComparison.Ordinal);

        string Configuration(int port) => File.ReadAllText(Path.Combine(folder, "dunlin.conf"))
            .Replace("/etc/mosquitto/dunlin", folder, StringComparison.Ordinal)
            .Replace("listener 8883", $"listener {port}", StringComparison.Ordinal).Replace("listener 8884", $"listener {Ports.Free()}", StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--port", "8884")]
    [InlineData("--operator-port", "8883")]
    public async Task BothDoorsCannotHaveOnePort(string option, string port)
    {
        Assert.Equal(1, await _desk.RunAsync("enroll-broker", "localhost", "--keys", _desk.Keys, option, port));
        Assert.Contains("must differ", _desk.Errors + _desk.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WithoutItsAuthorityNothingIsEnrolledAndNoneIsMade()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.True(await _desk.RunAsync("enroll", "belt-1", "--keys", _desk.Keys, "--out", _desk.At("belt-1"), "--broker", "broker") == 0, _desk.Errors);
        File.Delete(Path.Combine(_desk.Keys, "ca.pem"));
        foreach (var line in (string[][])[["enroll", "belt-2", "--broker", "broker"], ["enroll-broker", "broker"], ["revoke", "device", "belt-1"]])
        {
            Assert.Equal(66, await _desk.RunAsync([.. line, "--keys", _desk.Keys]));
            Assert.Contains("ca.pem' is not here", _desk.Errors, StringComparison.Ordinal);
        }
        Assert.False(File.Exists(Path.Combine(_desk.Keys, "ca.pem")));
    }

    [Fact]
    public async Task TheFleetsOwnConfigurationRunsMosquittoAndAPushGoesThroughIt()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        var bundle = await _desk.SignedBundleAsync();
        await using var device = await site.ConnectAsync("belt-1");
        var playing = device.PlayAsync(UpdateState.Committed);
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--wait", "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls"));
        await playing;
    }

    // Row 29 of the safety promises.
    [Fact]
    public async Task ADeviceSeesAndSaysNothingUnderTheNameOfAnother()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        var bundle = await _desk.SignedBundleAsync();
        var a = new Topics("default", "belt-a");
        await using var owner = await site.ConnectAsync("belt-a");
        await using var thief = await site.ProbeAsync("belt-b", builder => { }, "#", "dunlin/v1/#", a.Desired, a.Fresh, a.BlobData, a.Commands, a.Status, a.Outcome);
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-a", "belt-b", "--source", "mqtt", "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls"));
        await owner.NextAsync();
        await owner.ReportAsync(UpdateState.Fetching, bundle.ReleaseId);
        // The own directive comes after A's was delivered: what was to leak has leaked by then.
        await thief.NextAsync(new Topics("default", "belt-b").Desired);
        Assert.DoesNotContain(thief.Messages, message => message.Topic.StartsWith("dunlin/v1/default/belt-a/", StringComparison.Ordinal));

        foreach (var topic in (string[])[a.Status, a.Reported, a.Outcome, a.Blob, a.BlobData, a.Desired, a.Fresh, a.Root, new Topics("default", "belt-b").Desired])
            Assert.Equal(MQTTnet.MqttClientPublishReasonCode.NotAuthorized, await site.PublishAsync("belt-b", "belt-b", topic));
        // The access list goes by the certificate: another client id changes nothing.
        Assert.Equal(MQTTnet.MqttClientPublishReasonCode.NotAuthorized, await site.PublishAsync("belt-b", "belt-a", a.Status));
        Assert.NotEqual(MQTTnet.MqttClientPublishReasonCode.NotAuthorized, await site.PublishAsync("belt-b", "belt-b", new Topics("default", "belt-b").Status));
    }

    // Row 29: the certificate is the client id, so that no device can take the session of another, and throw it off.
    [Fact]
    public async Task ADeviceCannotThrowAnotherOffByItsClientId()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        var bundle = await _desk.SignedBundleAsync();
        await using var owner = await site.ConnectAsync("belt-a");
        await using var thief = await site.ProbeAsync("belt-b", builder => builder.WithClientId("belt-a"));
        await Eventually.TrueAsync(() => site.Broker.Log.Contains("as belt-b (", StringComparison.Ordinal), "the thief is who its certificate says");
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-a", "--source", "mqtt", "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls"));
        await owner.NextAsync();
        Assert.DoesNotContain("belt-a disconnected", site.Broker.Log, StringComparison.Ordinal);
    }

    // Operators choose their client ids: several programs run with one certificate, and no device gets in.
    [Fact]
    public async Task OperatorsHaveADoorOfTheirOwn()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        var bundle = await _desk.SignedBundleAsync();
        await using var device = await site.ConnectAsync("belt-1");
        var (certificate, key) = site.Enrol("belt-1");
        var (code, output) = await Tool.RunAsync("openssl", "s_client", "-connect", site.OperatorAddress, "-tls1_2", "-CAfile", site.CaFile, "-cert", certificate, "-key", key);
        Assert.NotEqual(0, code);
        Assert.Contains("alert unknown ca", output, StringComparison.Ordinal);
        Task<int> PushAsync(string address) => _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", address, "--tls");
        Assert.Equal(69, await PushAsync(site.Broker.Address));
        Assert.NotEqual(0, await _desk.RunAsync("revoke", "device", "operator", "--keys", _desk.Keys));
        Assert.Contains("operators.pem", _desk.Errors, StringComparison.Ordinal);
        Assert.Equal(0, await PushAsync(site.OperatorAddress));
        Assert.Equal(0, await _desk.RunAsync("watch", "--once", "--json", "--seconds", "1", "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls"));
    }

    [Fact]
    public async Task WhoDoesNotGetInIsToldTheOptionsOfThisProgram()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        foreach (var (arguments, advice) in (IEnumerable<(string[], string)>)
        [
            ([site.OperatorAddress], "--tls and --keys"),
            ([site.OperatorAddress, "--tls"], "--keys or --ca"),
            ([site.OperatorAddress, "--tls", "--ca", site.CaFile], "--tls and --keys"),
            ([$"localhost:{Ports.Free()}"], "check --broker"),
        ])
        {
            Assert.Equal(69, await _desk.RunAsync(["watch", "--once", "--seconds", "5", "--broker", .. arguments]));
            Assert.Contains(advice, _desk.Errors, StringComparison.Ordinal);
            Assert.DoesNotMatch("Mqtt:|agent|board", _desk.Errors);
        }
    }

    // What Mosquitto keeps for more devices than it queues by itself (1000 messages) or that an earlier version allowed (10,000).
    [Fact]
    public async Task TheBrokerSendsServeWhatItKeepsForManyThousandDevices()
    {
        await _desk.RunAsync("keys", "init", _desk.Keys);
        Assert.Equal(0, await _desk.RunAsync("enroll-broker", "localhost", "--keys", _desk.Keys, "--out", _desk.At("broker")));
        var limits = (await File.ReadAllLinesAsync(_desk.At("broker/dunlin.conf"), TestContext.Current.CancellationToken)).Where(line => line.StartsWith("max_queued_", StringComparison.Ordinal));
        await using var broker = await MosquittoBroker.StartAsync(new MosquittoSettings { LogsPackets = false, ConfigurationOf = port => $"listener {port} localhost\nallow_anonymous true\n{string.Join('\n', limits)}\n" });
        await using var probe = await MqttProbe.ConnectAsync(broker);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, 12_000), new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = TestContext.Current.CancellationToken },
            async (i, _) => await probe.PublishAsync($"dunlin/v1/default/belt-{i}/reported", "{}", retain: true));
        var count = 0;
        await using var link = new BrokerLink(new MqttOptions { Host = broker.Host, Port = broker.Port }, "many", ["dunlin/v1/default/+/reported"], TimeProvider.System) { Received = _ => Interlocked.Increment(ref count) };
        link.Start();
        await Eventually.TrueAsync(() => Volatile.Read(ref count) == 12_000, () => $"all come; {Volatile.Read(ref count)} came");
    }

    public void Dispose() => _desk.Dispose();
}
