using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>A state directory whose disk is full.</summary>
public sealed class DiskTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task ADiskThatIsFullAtTheFirstStartIsSaidAndTheDeviceServesByItselfOnceThereIsRoom()
    {
        using var disk = TinyDisk.Mount(megabytes: 8);
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        disk.Fill();
        var setup = new AgentSetup
        {
            StateDirectory = Path.Combine(disk.Path, "state"), Camera = first.Frames, Port = broker.Port, Set = [$"Race:Variant={DemoVariants.Lightest}", "Race:MaximumThreads=1", "Race:BudgetSeconds=1"],
        };
        await using var agent = AgentProcess.Run(setup);
        var reported = await probe.NextAsync(setup.Topic("reported"), m => m.Text.Contains("Make room in the state directory", StringComparison.Ordinal), Patience);
        Assert.False(reported.Json.TryGetProperty("running", out var running) && running.ValueKind != System.Text.Json.JsonValueKind.Null);

        disk.Free();
        await probe.NextAsync(setup.Topic("result"), null, Patience);
        await Eventually.TrueAsync(
            () => probe.Messages.Last(m => m.Topic == setup.Topic("reported")).Json.GetProperty("problems").GetArrayLength() == 0, () => $"all is well; the agent said:\n{agent.Log}", Patience);
        agent.Terminate();
        Assert.Equal(0, await agent.EndAsync());
    }
}
