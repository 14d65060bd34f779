using System.Collections.Concurrent;
using System.Text;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A broker, Mosquitto with its dynamic security, that lets a device in and does not let it subscribe, until somebody corrects that.</summary>
public sealed class RefusedSubscriptionTests : IDisposable
{
    /// <summary>Nobody is known by name: the defaults are everybody's, and so is the right to change them.</summary>
    private const string Rules = """
        { "defaultACLAccess": { "publishClientSend": true, "publishClientReceive": true, "subscribe": false, "unsubscribe": true }, "clients": [],
          "anonymousGroup": "everybody", "groups": [ { "groupname": "everybody", "roles": [ { "rolename": "operator" } ], "clients": [] } ],
          "roles": [ { "rolename": "operator", "acls": [ { "acltype": "publishClientSend", "topic": "$CONTROL/dynamic-security/#", "allow": true } ] } ] }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-acl-").FullName;
    private readonly ConcurrentQueue<string> _arrived = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ItIsAProblemAndIsAskedForAgainOnTheSameConnection()
    {
        await using var broker = await RefusingAsync();
        await using var operatorProbe = await MqttProbe.ConnectAsync(broker);
        await using var link = Subscribing(TestLink.To(broker), TestLink.Impatient with { SubscribeAgain = TimeSpan.FromSeconds(0.5) });
        await link.StartAsync();
        await ToldAsync(link);
        await AllowAsync(operatorProbe);
        await HeardAsync(link, operatorProbe);
        Assert.Equal(1, link.Link.State.ConnectCount);
    }

    [Fact]
    public async Task ItIsAskedForAgainAfterAReconnectToTheSameSession()
    {
        await using var broker = await RefusingAsync();
        await using var operatorProbe = await MqttProbe.ConnectAsync(broker);
        await using var wire = new FaultyLink(broker.Host, broker.Port);
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        await using var link = Subscribing(options, TestLink.Impatient);
        await link.StartAsync();
        await ToldAsync(link);
        await AllowAsync(operatorProbe);
        wire.Cut();
        await HeardAsync(link, operatorProbe);
    }

    private async Task<MosquittoBroker> RefusingAsync()
    {
        const string name = "mosquitto_dynamic_security.so";
        var plugin = Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (plugin is null) Assert.Skip($"{name} is absent; install Debian's mosquitto.");
        var file = Path.Combine(_folder, "rules.json");
        await File.WriteAllTextAsync(file, Rules, TestContext.Current.CancellationToken);
        return await MosquittoBroker.StartAsync(new MosquittoSettings { Extra = $"plugin {plugin}\nplugin_opt_config_file {file}" });
    }

    private TestLink Subscribing(MqttOptions options, LinkTiming timing)
    {
        var link = new TestLink(options, timing: timing);
        link.Link.Subscribe(link.Topics.Desired, message =>
        {
            _arrived.Enqueue(Encoding.UTF8.GetString(message.Payload.Span));
            return ValueTask.FromResult(true);
        });
        return link;
    }

    private static Task ToldAsync(TestLink link) => Eventually.TrueAsync(
        () => link.Link.State is { IsConnected: true, Problem: { } problem } && problem.Contains($"refuses the subscription to {link.Topics.Desired}", StringComparison.Ordinal),
        () => $"the refusal is told: {link.Link.State}");

    private static Task AllowAsync(MqttProbe operatorProbe) => operatorProbe.PublishAsync(
        "$CONTROL/dynamic-security/v1", """{ "commands": [ { "command": "setDefaultACLAccess", "acls": [ { "acltype": "subscribe", "allow": true } ] } ] }""");

    private async Task HeardAsync(TestLink link, MqttProbe operatorProbe)
    {
        await Eventually.TrueAsync(() => link.Link.State is { IsConnected: true, Problem: null }, () => $"it is solved: {link.Link.State}");
        await operatorProbe.PublishAsync(link.Topics.Desired, "after");
        await Eventually.TrueAsync(() => _arrived.Contains("after"), "the device hears");
    }
}
