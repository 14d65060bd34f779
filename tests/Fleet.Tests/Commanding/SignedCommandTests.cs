using System.Text.Json;
using Dunlin.Bundles.Trust;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Contracts.Signing;
using Dunlin.Fleet.Signing;
using Dunlin.Fleet.Tests.Enrolment;
using Dunlin.Fleet.Tests.Serving;
using Dunlin.Fleet.Tests.Watching;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;

namespace Dunlin.Fleet.Tests.Commanding;

public sealed class SignedCommandTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task ASnapshotIsAskedForUnderTheFleetsSignatureAndWrittenOverAnOlderOne()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        await File.WriteAllTextAsync(_desk.At("seen.jpg"), "older", TestContext.Current.CancellationToken);
        var answering = device.AnswerAsync(Command.Snapshot, Pictures.Snapshot.Json());
        Assert.True(await RunAsync(broker, "snapshot", "belt-1", "--out", _desk.At("seen.jpg"), "--wait", "50s", "--json") == 0, _desk.Errors);
        var asked = await answering;
        Assert.Equal((false, 1), (asked.Retain, asked.Qos));
        Assert.InRange(asked.ExpirySeconds, 1u, 50u);
        var (envelope, command) = AnsweringDevice.Read(asked);
        Assert.True(Judge(envelope, Command.Snapshot).IsAccepted);
        Assert.Equal(("default", "belt-1", "b1", Command.Snapshot), (command.Fleet, command.Device, command.BootId, command.Name));
        Assert.Equal((TimeSpan.FromSeconds(650), null, null), (command.Expires - command.Issued, command.Level, command.Seconds));
        Assert.Matches("^[0-9a-f]{32}$", command.Nonce);
        Assert.Equal(Pictures.Jpeg, await File.ReadAllBytesAsync(_desk.At("seen.jpg"), TestContext.Current.CancellationToken));
        Assert.Equal((_desk.At("seen.jpg"), 812), (_desk.Json.GetProperty("file").GetString(), _desk.Json.GetProperty("frame").GetInt32()));
    }

    [Fact]
    public async Task TheFleetsOwnAccessListLetsCommandAndReplyThrough()
    {
        await using var site = await SecureSite.StartAsync(_desk);
        await using var device = await AnsweringDevice.ConnectAsync(site, "belt-1");
        var answering = device.AnswerAsync(Command.Snapshot, Pictures.Snapshot.Json());
        Assert.True(await _desk.RunAsync("command", "snapshot", "belt-1", "--out", _desk.At("seen.jpg"), "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls") == 0, _desk.Errors);
        await answering;
        answering = device.AnswerAsync(Command.Ping);
        Assert.True(await _desk.RunAsync("command", "ping", "belt-1", "--keys", _desk.Keys, "--broker", site.OperatorAddress, "--tls") == 0, _desk.Errors);
        await answering;
    }

    [Fact]
    public async Task TwoCommandsHaveTwoNonces()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var nonces = new HashSet<string>();
        for (var i = 0; i < 2; i++)
        {
            await using var device = await AnsweringDevice.ConnectAsync(broker);
            var answering = device.AnswerAsync(Command.Snapshot, Pictures.Snapshot.Json());
            Assert.True(await RunAsync(broker, "snapshot", "belt-1", "--out", _desk.At("seen.jpg")) == 0, _desk.Errors);
            nonces.Add(AnsweringDevice.Read(await answering).Command.Nonce);
        }

        Assert.Equal(2, nonces.Count);
    }

    [Fact]
    public async Task WhileServeRunsItSignsAndTheAskerNeedsNoKey()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await using var serve = await BackgroundServe.StartAsync(_desk, broker);
        File.Move(Path.Combine(_desk.Keys, "directive.pem"), _desk.At("directive.pem"));
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        var answering = device.AnswerAsync(Command.Explain, Pictures.Explanation.Json());
        Assert.True(await RunAsync(broker, "explain", "belt-1", "--out", _desk.At("seen.svg")) == 0, _desk.Errors);
        Assert.True(Judge(AnsweringDevice.Read(await answering).Envelope, Command.Explain).IsAccepted);
        Assert.Contains("where narrow-int8 on 'belt-1' saw 'bag' (98.2 %) in frame 813", _desk.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task WhatBreaksARuleOfCommandsIsNotSignedWhoeverIsAsked(bool isServed)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await using var serve = isServed ? await BackgroundServe.StartAsync(_desk, broker) : null;
        await using var device = await AnsweringDevice.ConnectAsync(broker, Samples.Status(DeviceState.Online) with { BootId = new string('b', 65) });
        Assert.Equal(66, await RunAsync(broker, "snapshot", "belt-1", "--out", _desk.At("seen.jpg")));
        Assert.Contains("$.bootId", _desk.Errors, StringComparison.Ordinal);
        Assert.Empty(device.Probe.Messages);
    }

    [Fact]
    public async Task WithoutTheDirectiveKeyNothingIsSent()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        File.Delete(Path.Combine(_desk.Keys, "directive.pem"));
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        Assert.Equal(66, await RunAsync(broker, "snapshot", "belt-1", "--out", _desk.At("seen.jpg")));
        Assert.Contains("no key for the role 'directive'", _desk.Errors, StringComparison.Ordinal);
        Assert.Empty(device.Probe.Messages);
    }

    [Theory]
    [InlineData("verbose")]
    [InlineData("debug")]
    [InlineData("information")]
    [InlineData("warning")]
    [InlineData("error")]
    public async Task ALogLevelGoesWithItsTime(string level)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        var answering = device.AnswerAsync(Command.LogLevel, JsonSerializer.SerializeToElement(new LogLevelChange(level, SampleDocuments.Noon), MessageJson.Default.LogLevelChange));
        Assert.True(await RunAsync(broker, "log-level", "belt-1", level, "--for", "1d") == 0, _desk.Errors);
        var (envelope, command) = AnsweringDevice.Read(await answering);
        Assert.True(Judge(envelope, Command.LogLevel).IsAccepted);
        Assert.Equal((level, 86_400), (command.Level, command.Seconds));
        Assert.Contains($"'belt-1' logs at the level {level} until 2026-11-24 12:00:00Z.", _desk.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task SilenceSaysWhatMayBeTheMatter()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        Assert.Equal(69, await RunAsync(broker, "log-level", "belt-1", "debug", "--wait", "1s"));
        Assert.Contains("within 1 s", _desk.Errors, StringComparison.Ordinal);
        Assert.Contains("ping it", _desk.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("snapshot", """{"image":"iVBORw0KGgo=","frame":1,"captured":"2026-11-24T12:00:00Z","width":4,"height":3}""", "FF D8")]
    [InlineData("snapshot", """{"image":"?","frame":1,"captured":"2026-11-24T12:00:00Z","width":4,"height":3}""", "no snapshot")]
    [InlineData("snapshot", "null", "no snapshot")]
    [InlineData("explain", """{"image":"/9j/2Q==","frame":1,"captured":"2026-11-24T12:00:00Z","width":4,"height":3}""", "no explanation")]
    public async Task WhatIsNoPictureIsRefusedAndNothingIsWritten(string name, string payload, string expected)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys);
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        var answering = device.AnswerAsync(name, JsonElement.Parse(payload));
        Assert.Equal(66, await RunAsync(broker, name, "belt-1", "--out", _desk.At("picture")));
        await answering;
        Assert.Contains(expected, _desk.Errors, StringComparison.Ordinal);
        Assert.False(File.Exists(_desk.At("picture")));
    }

    public void Dispose() => _desk.Dispose();

    private VerificationResult Judge(DsseEnvelope envelope, string name)
    {
        var root = KeyFolder.Open(_desk.Keys).Root;
        var context = new TrustContext
        {
            Fleet = "default", Device = "belt-1", Root = root, Floors = FloorRules.Begin(root), BuildTime = root.Issued, SynchronizedClock = TimeProvider.System.GetUtcNow(),
        };
        return Acceptance.JudgeCommand(envelope, name, "b1", context).Result;
    }

    private Task<int> RunAsync(MosquittoBroker broker, params string[] arguments) =>
        _desk.RunAsync(["command", .. arguments, "--keys", _desk.Keys, "--broker", broker.Address]);
}
