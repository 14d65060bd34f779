using System.Text.Json;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;

namespace Dunlin.EndToEnd.Tests.Racing;

/// <summary>Variants that break whoever loads them, beside one that works.</summary>
public sealed class BrokenVariantTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    [Fact]
    public async Task TheGoodVariantServesAndTheBrokenOnesAreNamedQuarantinedAndNotTriedAgain()
    {
        using var space = new TemporaryFolder();
        MadeBundle.Write(
            space["bundle"],
            ("good", OnnxModels.BrightestChannel(MadeBundle.Side)),
            ("crashes", HostileModels.OverflowsTheStack()),
            ("garbage", HostileModels.Garbage),
            ("wrong", OnnxModels.BrightestChannel(MadeBundle.Side, wrong: true)),
            ("other-size", OnnxModels.BrightestChannel(2 * MadeBundle.Side)),
            ("never-ends", HostileModels.NeverEnds()));
        await using var broker = await MosquittoBroker.StartAsync();
        var setup = new AgentSetup { StateDirectory = space["state"], Camera = first.Frames, Port = broker.Port, Bundle = space["bundle"], Set = ["Race:BudgetSeconds=1"] };
        await using (var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#"))
        await using (var agent = AgentProcess.Run(setup))
        {
            await agent.SaysAsync("Race over", Patience);
            var verdict = (await probe.NextAsync(setup.Topic("race"))).Json;
            Assert.Equal("good", verdict.GetProperty("winner").GetProperty("variant").GetString());
            foreach (var bad in (string[])["crashes", "garbage", "wrong", "other-size", "never-ends"])
                Assert.All(Of(verdict, bad), contender => Assert.True(contender.GetProperty("outcome").GetString() == "failed", contender.ToString()));
            Assert.Equal("golden.failed", Of(verdict, "wrong")[0].GetProperty("reasonCode").GetString());
            Assert.Equal("check.input", Of(verdict, "other-size")[0].GetProperty("reasonCode").GetString());
            await probe.NextAsync(setup.Topic("result"), m => m.Json.GetProperty("variant").GetString() == "good");
            agent.Terminate();
            Assert.Equal(0, await agent.EndAsync());
        }

        // The cached verdict says the same; a new race knows the quarantine.
        await using var again = AgentProcess.Run(setup with { Set = ["Race:BudgetSeconds=1.5"] });
        await using var later = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        await again.SaysAsync("Race over", Patience);
        var second = (await later.NextAsync(setup.Topic("race"), m => Of(m.Json, "wrong")[0].GetProperty("outcome").GetString() == "blocked")).Json;
        Assert.Equal("good", second.GetProperty("winner").GetProperty("variant").GetString());
        foreach (var bad in (string[])["crashes", "garbage", "wrong", "other-size", "never-ends"])
            Assert.All(Of(second, bad), contender => Assert.Equal("quarantined", contender.GetProperty("reasonCode").GetString()));
    }

    [Fact]
    public async Task WhenNoVariantPassesNothingRunsAndTheReportSaysWhy()
    {
        using var space = new TemporaryFolder();
        MadeBundle.Write(space["bundle"], ("wrong", OnnxModels.BrightestChannel(MadeBundle.Side, wrong: true)));
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = new AgentSetup { StateDirectory = space["state"], Camera = first.Frames, Port = broker.Port, Bundle = space["bundle"] };
        await using var agent = AgentProcess.Run(setup);
        await agent.SaysAsync("Race without a winner", Patience);
        var reported = await probe.NextAsync(setup.Topic("reported"), m => m.Json.GetProperty("problems").ToString().Contains("golden", StringComparison.OrdinalIgnoreCase));
        Assert.False(reported.Json.TryGetProperty("running", out var running) && running.ValueKind != JsonValueKind.Null);
        Assert.Null(agent.Worker);
    }

    private static List<JsonElement> Of(JsonElement verdict, string variant) =>
        [.. verdict.GetProperty("contenders").EnumerateArray().Where(c => c.GetProperty("contender").GetProperty("variant").GetString() == variant)];
}
