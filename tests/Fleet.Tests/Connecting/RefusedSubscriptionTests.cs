using Dunlin.Contracts.Messages;
using Dunlin.Fleet.Watching;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Servers;
using MQTTnet.Protocol;
using MQTTnet.Server;
using Spectre.Console;

namespace Dunlin.Fleet.Tests.Connecting;

/// <summary>A broker that grants no subscription to one kind of topic: whoever needs it would wait without a word.</summary>
public sealed class RefusedSubscriptionTests : IAsyncLifetime
{
    private readonly Desk _desk = new();
    private readonly int _port = Ports.Free();
    private readonly MqttServer _server;
    private string _refused = "";

    public RefusedSubscriptionTests()
    {
        _server = new MqttServerFactory().CreateMqttServer(new MqttServerOptionsBuilder().WithDefaultEndpoint().WithDefaultEndpointPort(_port).Build());
        _server.InterceptingSubscriptionAsync += asked =>
        {
            if (asked.TopicFilter.Topic.EndsWith(_refused, StringComparison.Ordinal)) asked.Response.ReasonCode = MqttSubscribeReasonCode.NotAuthorized;
            return Task.CompletedTask;
        };
    }

    public async ValueTask InitializeAsync() => await _server.StartAsync();

    [Fact]
    public async Task PushComplains()
    {
        _refused = "/outcome";
        await _desk.RunAsync("keys", "init", _desk.Keys);
        var bundle = await _desk.SignedBundleAsync();
        Assert.Equal(0, await _desk.RunAsync("push", bundle.Path, "--to", "belt-1", "--source", "mqtt", "--keys", _desk.Keys, "--broker", $"localhost:{_port}"));
        Assert.Contains("refuses the subscription to dunlin/v1/default/+/outcome (NotAuthorized)", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ACommandEndsWithItInsteadOfMissingTheDevice()
    {
        _refused = "/status";
        Assert.Equal(69, await _desk.RunAsync("command", "ping", "belt-1", "--fleet", "default", "--wait", "1s", "--broker", $"localhost:{_port}"));
        Assert.Contains("refuses the subscription to dunlin/v1/default/belt-1/status (NotAuthorized)", _desk.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WatchSaysWhatItDoesNotSee()
    {
        _refused = "/telemetry";
        using StringWriter output = new(), errors = new();
        var watch = new Watch(new MqttOptions { Host = "localhost", Port = _port }, "default", AnsiConsole.Console, output, errors, TimeProvider.System);
        Assert.Equal(0, await watch.OnceAsync(TimeSpan.FromMilliseconds(100), isJson: true, TestContext.Current.CancellationToken));
        Assert.Contains("refuses the subscription to dunlin/v1/default/+/telemetry (NotAuthorized)", errors.ToString(), StringComparison.Ordinal);
        // As the agent says it: docs/ is not there where only the tool is installed.
        Assert.Contains(Topics.Page, errors.ToString(), StringComparison.Ordinal);
    }

    public async ValueTask DisposeAsync()
    {
        await _server.StopAsync(new MqttServerStopOptions());
        _server.Dispose();
        _desk.Dispose();
    }
}
