using System.Collections.Concurrent;
using System.Text;
using Dunlin.Telemetry.Link;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.Telemetry.Tests.Link;

/// <summary>A broker, Mosquitto with its dynamic security, that lets a device in and refuses it to subscribe or to publish, until somebody corrects that.</summary>
public sealed class RefusedRightsTests : IDisposable
{
    private const string ToSubscribe = "subscribe", ToPublish = "publishClientSend";

    /// <summary>Nobody is known by name: the defaults are everybody's, and so is the right to change them.</summary>
    private const string Rules = """
        { "defaultACLAccess": { "publishClientSend": true, "publishClientReceive": true, "subscribe": true, "unsubscribe": true }, "clients": [],
          "anonymousGroup": "everybody", "groups": [ { "groupname": "everybody", "roles": [ { "rolename": "operator" } ], "clients": [] } ],
          "roles": [ { "rolename": "operator", "acls": [ { "acltype": "publishClientSend", "topic": "$CONTROL/dynamic-security/#", "allow": true } ] } ] }
        """;

    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-acl-").FullName;
    private readonly ConcurrentQueue<string> _arrived = new();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task ARefusedSubscriptionIsAProblemAndIsAskedForAgainOnTheSameConnection()
    {
        await using var broker = await RefusingAsync(ToSubscribe);
        await using var operatorProbe = await MqttProbe.ConnectAsync(broker);
        await using var link = Subscribing(TestLink.To(broker), Insistent);
        await link.StartAsync();
        await ToldAsync(link, $"refuses the subscription to {link.Topics.Desired}");
        await AllowAsync(operatorProbe, ToSubscribe);
        await HeardAsync(link, operatorProbe);
        Assert.Equal(1, link.Link.State.ConnectCount);
    }

    [Fact]
    public async Task ARefusedSubscriptionIsAskedForAgainAfterAReconnectToTheSameSession()
    {
        await using var broker = await RefusingAsync(ToSubscribe);
        await using var operatorProbe = await MqttProbe.ConnectAsync(broker);
        await using var wire = new FaultyLink(broker.Host, broker.Port);
        var options = TestLink.To(broker);
        (options.Host, options.Port) = (wire.Host, wire.Port);
        await using var link = Subscribing(options, TestLink.Impatient);
        await link.StartAsync();
        await ToldAsync(link, $"refuses the subscription to {link.Topics.Desired}");
        await AllowAsync(operatorProbe, ToSubscribe);
        wire.Cut();
        await HeardAsync(link, operatorProbe);
    }

    [Fact]
    public async Task ARefusedMessageIsAProblemUntilItIsTaken()
    {
        await using var broker = await RefusingAsync(ToPublish);
        await using var operatorProbe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await using var link = new TestLink(TestLink.To(broker), timing: Insistent);
        link.Link.PublishRetained(link.Topics.Reported, "{}"u8.ToArray());
        await link.StartAsync();
        await ToldAsync(link, $"refuses {link.Topics.Reported}, {link.Topics.Status}: NotAuthorized; allow it in the broker's access list");
        Assert.Equal(Delivery.Refused, await PublishAsync(link));
        await ToldAsync(link, $"{link.Topics.Status}, {link.Topics.Telemetry}: NotAuthorized");

        await AllowAsync(operatorProbe, ToPublish);
        // What the broker keeps comes by itself.
        await operatorProbe.NextAsync(link.Topics.Reported);
        await operatorProbe.NextAsync(link.Topics.Status);
        await ToldAsync(link, $"refuses {link.Topics.Telemetry}: NotAuthorized");
        Assert.Equal(Delivery.Acknowledged, await PublishAsync(link));
        Assert.Null(link.Link.State.Problem);
        Assert.Equal(1, link.Link.State.ConnectCount);
    }

    private static LinkTiming Insistent => TestLink.Impatient with { AskAgain = TimeSpan.FromSeconds(0.5) };

    private async Task<MosquittoBroker> RefusingAsync(string right)
    {
        const string name = "mosquitto_dynamic_security.so";
        var plugin = Directory.EnumerateDirectories("/usr/lib", "*-linux-gnu").Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        if (plugin is null) Assert.Skip($"{name} is absent; install Debian's mosquitto.");
        var file = Path.Combine(_folder, "rules.json");
        await File.WriteAllTextAsync(file, Rules.Replace($"\"{right}\": true", $"\"{right}\": false", StringComparison.Ordinal), TestContext.Current.CancellationToken);
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

    private static Task<Delivery> PublishAsync(TestLink link) =>
        link.Link.PublishAsync(link.Topics.Telemetry, "{}"u8.ToArray(), 60, default, TestContext.Current.CancellationToken);

    private static Task ToldAsync(TestLink link, string part) => Eventually.TrueAsync(
        () => link.Link.State is { IsConnected: true, Problem: { } problem } && problem.Contains(part, StringComparison.Ordinal),
        () => $"the refusal is told: {link.Link.State}");

    private static Task AllowAsync(MqttProbe operatorProbe, string right) => operatorProbe.PublishAsync(
        "$CONTROL/dynamic-security/v1", $$"""{ "commands": [ { "command": "setDefaultACLAccess", "acls": [ { "acltype": "{{right}}", "allow": true } ] } ] }""");

    private async Task HeardAsync(TestLink link, MqttProbe operatorProbe)
    {
        await Eventually.TrueAsync(() => link.Link.State is { IsConnected: true, Problem: null }, () => $"it is solved: {link.Link.State}");
        await operatorProbe.PublishAsync(link.Topics.Desired, "after");
        await Eventually.TrueAsync(() => _arrived.Contains("after"), "the device hears");
    }
}
