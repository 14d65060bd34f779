using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Tests.Watching;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;

namespace Dunlin.Fleet.Tests.Commanding;

/// <summary>Commands that take no key, and what all commands have in common.</summary>
public sealed class OpenCommandTests : IDisposable
{
    private readonly Desk _desk = new();

    [Fact]
    public async Task APingNeedsNoKeysAndSaysHowLongTheWayTook()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        var answering = device.AnswerAsync(Command.Ping);
        Assert.True(await RunAsync(broker, "ping", "belt-1", "--json") == 0, _desk.Errors);
        var asked = await answering;
        Assert.Equal((false, 1), (asked.Retain, asked.Qos));
        Assert.InRange(asked.ExpirySeconds, 1u, 30u);
        Assert.Matches("^[0-9a-f]{32}$", asked.Json.GetProperty("id").GetString());
        Assert.Equal("belt-1", _desk.Json.GetProperty("device").GetString());
        Assert.InRange(_desk.Json.GetProperty("milliseconds").GetDouble(), 0.001, 30_000);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ARaceTellsTheWinnerAndWhy(bool isJson)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        var verdict = SampleMessages.Race();
        var answering = device.AnswerAsync(Command.Race, JsonSerializer.SerializeToElement(verdict, MessageJson.Default.Verdict));
        Assert.True(await RunAsync(broker, ["race", "belt-1", .. isJson ? (string[])["--json"] : []]) == 0, _desk.Errors);
        await answering;
        Assert.Contains(isJson ? verdict.Reason : $"'belt-1': {verdict.Reason}", _desk.Output, StringComparison.Ordinal);
        if (!isJson) return;
        Assert.Equal(verdict.Winner!.Variant, _desk.Json.GetProperty("winner").GetProperty("variant").GetString());
        Assert.Equal(verdict.Fingerprint.ToString(), _desk.Json.GetProperty("verdict").GetProperty("fingerprint").GetString());
    }

    [Fact]
    public async Task OnlyTheReplyOfThisDeviceToThisCommandCounts()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        await using var other = await AnsweringDevice.ConnectAsync(broker, null, "belt-2");
        var answering = device.AnswerAsync(Command.Ping, id =>
        {
            var no = device.Reply(Command.Ping, id) with { Ok = false, Code = "command.failed" };
            Wait(other.ReplyAsync(no, correlation: null));
            Wait(device.ReplyAsync(no with { Id = "another" }, correlation: null));
            Wait(device.Probe.PublishAsync(device.Topics.Reply, "no reply at all"));
            return device.Reply(Command.Ping, id);
        });
        Assert.True(await RunAsync(broker, "ping", "belt-1") == 0, _desk.Errors);
        await answering;

        static void Wait(Task task) => task.GetAwaiter().GetResult();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ARefusalEndsWith11AndSaysCodeAndReason(bool isIdKnown)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        // Who cannot read a command answers by its correlation data alone.
        var answering = device.AnswerAsync(Command.Race, id => device.Reply(Command.Race, isIdKnown ? id : null) with { Ok = false, Code = "race.running", Detail = "Wait for\u001b[31m its verdict." });
        Assert.Equal(11, await RunAsync(broker, "race", "belt-1"));
        await answering;
        Assert.Contains("'belt-1' refused 'race' (race.running): Wait for [31m its verdict.", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ADeviceThatSaysNothingEndsWith69AfterTheWait()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        Assert.Equal(69, await RunAsync(broker, "ping", "belt-1", "--wait", "1s"));
        Assert.Contains("has not answered 'ping' within 1 s", _desk.Errors, StringComparison.Ordinal);
        Assert.DoesNotContain("Commands:", _desk.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(DeviceState.Stopped, "is stopped since 2026-11-24 12:00:00Z")]
    [InlineData(DeviceState.Offline, "is offline;")]
    public async Task ADeviceThatIsAwayIsAskedNothing(DeviceState state, string expected)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        var status = Samples.Status(state);
        await using var device = await AnsweringDevice.ConnectAsync(broker, state == DeviceState.Offline ? status with { Time = null } : status);
        Assert.Equal(69, await RunAsync(broker, "ping", "belt-1"));
        Assert.Contains(expected, _desk.Errors, StringComparison.Ordinal);
        Assert.Empty(device.Probe.Messages);
    }

    [Fact]
    public async Task ADeviceThatTheBrokerDoesNotKnowIsNamedWithItsFleet()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker);
        Assert.Equal(66, await RunAsync(broker, "ping", "belt-1", "--fleet", "orchard", "--wait", "1s"));
        Assert.Contains("no 'status' of 'belt-1' in the fleet 'orchard'", _desk.Errors, StringComparison.Ordinal);
        Assert.Empty(device.Probe.Messages);
    }

    [Fact]
    public async Task TheFleetOfTheKeyFolderIsTakenWhereNoneIsNamed()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await _desk.RunAsync("keys", "init", _desk.Keys, "--fleet", "orchard");
        Assert.Equal(66, await RunAsync(broker, "ping", "belt-1", "--keys", _desk.Keys, "--wait", "1s"));
        Assert.Contains("'orchard'", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AStatusThatCannotBeReadIsSaidToBeSo()
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var device = await AnsweringDevice.ConnectAsync(broker, Samples.Status(DeviceState.Online) with { BootId = "\u001b[2J" });
        Assert.Equal(66, await RunAsync(broker, "ping", "belt-1"));
        Assert.Contains("The 'status' of 'belt-1' cannot be read", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAbsentBrokerIsNamed()
    {
        await using var broker = MosquittoBroker.Prepare();
        Assert.Equal(69, await RunAsync(broker, "ping", "belt-1"));
        Assert.Contains("nothing listens there", _desk.Errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("DEVICE must match", "ping", "Not_A_Name")]
    [InlineData("--wait must be at most 60m", "ping", "belt-1", "--wait", "2h")]
    [InlineData("--fleet must match", "race", "belt-1", "--fleet", "+")]
    [InlineData("--for must be at most 1d", "log-level", "belt-1", "debug", "--for", "2d", "--keys", "keys")]
    [InlineData("'loud'", "log-level", "belt-1", "loud", "--keys", "keys")]
    [InlineData("--out: there is no folder", "snapshot", "belt-1", "--out", "/nowhere/at/all.jpg", "--keys", "keys")]
    public async Task AWrongOptionIsNamedBeforeAnythingHappens(string expected, params string[] arguments)
    {
        Assert.Equal(1, await _desk.RunAsync(["command", .. arguments]));
        Assert.Contains(expected, _desk.Errors, StringComparison.Ordinal);
    }

    public void Dispose() => _desk.Dispose();

    private Task<int> RunAsync(MosquittoBroker broker, params string[] arguments) => _desk.RunAsync(["command", .. arguments, "--broker", broker.Address]);
}
