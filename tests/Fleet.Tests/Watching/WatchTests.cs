using System.Text.Json;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Connecting;
using Dunlin.Fleet.Watching;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Spectre.Console;

namespace Dunlin.Fleet.Tests.Watching;

public sealed class WatchTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnceShowsWhatTheBrokerKeeps(bool isJson)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        var status = JsonSerializer.SerializeToUtf8Bytes(Samples.Status(DeviceState.Online), MessageJson.Default.DeviceStatus);
        await probe.PublishAsync("dunlin/v1/demo/belt-1/status", status, retain: true);
        await probe.PublishAsync("dunlin/v1/other/belt-2/status", status, retain: true);
        var (code, output) = await OnceAsync(broker, isJson);
        Assert.Equal(0, code);
        Assert.Contains("belt-1", output, StringComparison.Ordinal);
        Assert.DoesNotContain("belt-2", output, StringComparison.Ordinal);
        if (!isJson) return;
        var line = JsonElement.Parse(output.Trim());
        Assert.Equal("status", line.GetProperty("kind").GetString());
        Assert.Equal("online", line.GetProperty("message").GetProperty("state").GetString());
    }

    [Theory]
    [InlineData("belt-1")]
    [InlineData("belt-2", "--fleet", "other")]
    public async Task TheFleetIsThatOfTheKeysUnlessAnotherIsNamed(string seen, params string[] named)
    {
        using var desk = new Desk();
        await desk.RunAsync("keys", "init", desk.Keys, "--fleet", "orchard");
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        var status = JsonSerializer.SerializeToUtf8Bytes(Samples.Status(DeviceState.Online), MessageJson.Default.DeviceStatus);
        await probe.PublishAsync("dunlin/v1/orchard/belt-1/status", status, retain: true);
        await probe.PublishAsync("dunlin/v1/other/belt-2/status", status, retain: true);
        Assert.True(await desk.RunAsync(["watch", "--once", "--json", "--seconds", "1", "--keys", desk.Keys, "--broker", broker.Address, .. named]) == 0, desk.Errors);
        Assert.Equal(seen, desk.Json.GetProperty("device").GetString());
    }

    [Theory]
    [InlineData("--once", "0")]
    [InlineData("--once", "-1")]
    [InlineData("--once", "NaN")]
    [InlineData("--once", "86401")]
    [InlineData("--json", "3")]
    public async Task SecondsThatMakeNoSenseAreRefused(string option, string seconds)
    {
        using var desk = new Desk();
        await using var broker = MosquittoBroker.Prepare();
        Assert.Equal(1, await desk.RunAsync("watch", option, "--seconds", seconds, "--broker", broker.Address));
        Assert.Contains("--seconds must be", desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task AnAbsentBrokerIsNamedAndEndsWith69()
    {
        await using var broker = MosquittoBroker.Prepare();
        var (code, output) = await OnceAsync(broker, false);
        Assert.Equal(69, code);
        Assert.Contains("nothing listens there", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--json")]
    [InlineData("")]
    public async Task ItEndsWithWhoReadsIt(string option)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        var status = JsonSerializer.SerializeToUtf8Bytes(Samples.Status(DeviceState.Online), MessageJson.Default.DeviceStatus);
        await probe.PublishAsync("dunlin/v1/demo/belt-1/status", status, retain: true);
        var program = Path.Combine(AppContext.BaseDirectory, "dunlin-fleet");
        var watching = Tool.RunAsync("bash", "-c", $"set -o pipefail; timeout 30 '{program}' watch {option} --fleet demo --broker {broker.Address} | head -1");
        while (!watching.IsCompleted)
        {
            await probe.PublishAsync("dunlin/v1/demo/belt-1/status", status, retain: true);
            await Task.WhenAny(watching, Task.Delay(50, TestContext.Current.CancellationToken));
        }

        var (code, output) = await watching;
        Assert.True(code == 0, $"{code}: {output}");
        Assert.Contains("belt-1", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("localhost", true, "localhost", 0)]
    [InlineData("board.lan:8883", true, "board.lan", 8883)]
    [InlineData("[::1]:1883", true, "::1", 1883)]
    [InlineData("host:0", false, "", 0)]
    [InlineData("host:x", false, "", 0)]
    [InlineData("", false, "", 0)]
    public void TheBrokerOptionIsHostAndPort(string text, bool isGood, string host, int port)
    {
        Assert.Equal(isGood, BrokerOptions.TryParseBroker(text, out var parsedHost, out var parsedPort));
        if (isGood) Assert.Equal((host, port), (parsedHost, parsedPort));
    }

    private static async Task<(int Code, string Output)> OnceAsync(MosquittoBroker broker, bool isJson)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 300;
        var watch = new Watch(new MqttOptions { Host = broker.Host, Port = broker.Port }, "demo", console, text, text, TimeProvider.System);
        var code = await watch.OnceAsync(TimeSpan.FromSeconds(1), isJson, TestContext.Current.CancellationToken);
        return (code, text.ToString());
    }
}
