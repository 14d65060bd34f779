using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dunlin.Contracts;
using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Watching;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Samples;
using Dunlin.TestKit.Waiting;
using Spectre.Console;

namespace Dunlin.Fleet.Tests.Watching;

/// <summary>Each value of each message is replaced by what a broken or hostile device may send: <c>watch</c> draws on.</summary>
public sealed class HostileMessageTests
{
    private static readonly string[] Values =
        ["null", "[null]", "{}", "\"\"", "\"[/]\\u0000\"", "-1", "1e300", "1e999", "9223372036854775807", "-9223372036854775808"];

    private static readonly string[] Kinds = ["status", "reported", "race", "telemetry", "result"];

    [Theory]
    [InlineData("status")]
    [InlineData("reported")]
    [InlineData("race")]
    [InlineData("telemetry")]
    [InlineData("result")]
    public void NoValueOfAMessageEndsTheWatching(string kind)
    {
        var garbage = 0L;
        var broken = Places(JsonNode.Parse(Sound(kind))!).SelectMany(place => Values.Select(value => Replaced(Sound(kind), place, value))).ToList();
        foreach (var message in broken)
        {
            var view = new FleetView("demo", TimeProvider.System);
            foreach (var device in (string[])["belt-1", "belt-2"])
                foreach (var other in Kinds) Assert.NotNull(Apply(view, device, other, Sound(other)));
            Apply(view, "belt-2", kind, message);
            Assert.Contains("belt-1", Render(view), StringComparison.Ordinal);
            garbage += view.GarbageCount;
        }

        Assert.InRange(garbage, 1, broken.Count - 1);
    }

    // Text that is no Unicode: it can be read over, but not written again.
    [Theory]
    [InlineData("\"note\":\"\\ud800\"")]
    [InlineData("\"\\ud800\":1")]
    public async Task AMessageThatCannotBeWrittenAgainEndsNoLines(string member)
    {
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker);
        var sound = Sound("status");
        await probe.PublishAsync("dunlin/v1/demo/belt-1/status", $"{{{member},{sound[1..]}", retain: true);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        using var lines = new LineWatch("belt-2");
        var watch = new Watch(new MqttOptions { Host = broker.Host, Port = broker.Port }, "demo", AnsiConsole.Console, lines, TextWriter.Null, TimeProvider.System);
        var watching = watch.LinesAsync(isJson: true, end.Token);
        var republishing = Eventually.TrueAsync(
            async () =>
            {
                await probe.PublishAsync("dunlin/v1/demo/belt-2/status", sound);
                return lines.Found.IsCompleted;
            },
            "the next device is shown");
        await await Task.WhenAny(watching, republishing);
        await end.CancelAsync();
        Assert.Equal(0, await watching);
    }

    private static DeviceView? Apply(FleetView view, string device, string kind, string text) => view.Apply($"dunlin/v1/demo/{device}/{kind}", Encoding.UTF8.GetBytes(text));

    private static string Sound(string kind) => kind switch
    {
        "status" => JsonSerializer.Serialize(Samples.Status(DeviceState.Online), MessageJson.Default.DeviceStatus),
        "reported" => JsonSerializer.Serialize(Samples.Reported() with { Problems = ["It is hot."] }, MessageJson.Default.Reported),
        "race" => JsonSerializer.Serialize(SampleMessages.Race(), MessageJson.Default.Verdict),
        "telemetry" => JsonSerializer.Serialize(Samples.Window(3000, 293), MessageJson.Default.TelemetryWindow),
        _ => JsonSerializer.Serialize(SampleMessages.Result(), MessageJson.Default.Classification),
    };

    private static IEnumerable<string> Places(JsonNode node) => node switch
    {
        JsonObject members => members.Where(member => member.Value is not null).SelectMany(member => Places(member.Value!).Prepend(member.Value!.GetPath())),
        JsonArray elements => elements.OfType<JsonNode>().SelectMany(element => Places(element).Prepend(element.GetPath())),
        _ => [],
    };

    private static string Replaced(string text, string place, string value)
    {
        var root = JsonNode.Parse(text)!;
        Everything(root).First(node => node.GetPath() == place).ReplaceWith(JsonNode.Parse(value));
        return root.ToJsonString();
    }

    private static IEnumerable<JsonNode> Everything(JsonNode node) => node switch
    {
        JsonObject members => members.Select(member => member.Value).OfType<JsonNode>().SelectMany(Everything).Prepend(node),
        JsonArray elements => elements.OfType<JsonNode>().SelectMany(Everything).Prepend(node),
        _ => [node],
    };

    private static string Render(FleetView view)
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(text) });
        console.Profile.Width = 200;
        console.Write(FleetTable.Render(view, 200, 1000));
        return text.ToString();
    }
}
