using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Schemas;

namespace Dunlin.EndToEnd.Tests.Serving;

public sealed class CommandTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task CommandsAreAnsweredOnReplyAndTooManyAreRefused()
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port);
        await using var agent = AgentProcess.Run(setup);
        await probe.NextAsync(setup.Topic("result"), null, Patience);

        await probe.PublishAsync(setup.Topic("command/ping"), "{\"id\":\"one\"}"u8.ToArray(), correlation: [1, 2, 3]);
        var pong = await ReplyAsync(probe, setup, "one");
        Assert.True(pong.Json.GetProperty("ok").GetBoolean());
        Assert.Equal([1, 2, 3], pong.Correlation);

        await probe.PublishAsync(setup.Topic("command/dance"), "{\"id\":\"two\"}");
        Assert.Equal("command.unknown", (await ReplyAsync(probe, setup, "two")).Json.GetProperty("code").GetString());

        await probe.PublishAsync(setup.Topic("command/race"), "{\"id\":\"three\"}");
        await probe.PublishAsync(setup.Topic("command/race"), "{\"id\":\"four\"}");
        var race = await ReplyAsync(probe, setup, "three");
        Assert.True(race.Json.GetProperty("ok").GetBoolean(), race.Text);
        SchemaAssert.Valid("race", race.Json.GetProperty("payload").GetRawText());
        Assert.Equal("command.rate-limited", (await ReplyAsync(probe, setup, "four")).Json.GetProperty("code").GetString());
        Assert.Equal(race.Json.GetProperty("payload").GetProperty("winner").ToString(), probe.Messages.Last(m => m.Topic == setup.Topic("race")).Json.GetProperty("winner").ToString());

        await probe.PublishAsync(setup.Topic("command/ping"), "garbage");
        var refused = await probe.NextAsync(setup.Topic("reply"), m => m.Json.TryGetProperty("code", out var code) && code.GetString() == "command.invalid");
        SchemaAssert.Valid("reply", refused.Text);
        Assert.False(agent.HasExited);
    }

    [Fact]
    public async Task ARaceOnABoardWithoutABundleIsAnsweredAtOnce()
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port) with { Bundle = "" };
        await using var agent = AgentProcess.Run(setup);
        await probe.NextAsync(setup.Topic("status"), m => m.Json.GetProperty("state").GetString() == "online", Patience);
        await probe.PublishAsync(setup.Topic("command/race"), "{\"id\":\"one\"}");
        Assert.Equal("race.no-release", (await ReplyAsync(probe, setup, "one")).Json.GetProperty("code").GetString());
    }

    private static async Task<ProbedMessage> ReplyAsync(MqttProbe probe, AgentSetup setup, string id)
    {
        var reply = await probe.NextAsync(setup.Topic("reply"), m => m.Json.TryGetProperty("id", out var value) && value.GetString() == id, Patience);
        SchemaAssert.Valid("reply", reply.Text);
        return reply;
    }
}
