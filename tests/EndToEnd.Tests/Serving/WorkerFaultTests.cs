using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit;
using Dunlin.TestKit.Brokers;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Servers;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Serving;

/// <summary>What a worker's death, its hanging, and the supervisor's death leave.</summary>
public sealed class WorkerFaultTests(FirstRun first)
{
    [Theory]
    [InlineData("KILL", "SIGKILL, which the supervisor did not send")]
    [InlineData("STOP", "heartbeat")]
    public async Task AWorkerThatDiesOrHangsIsReportedAndResultsGoOn(string signal, string reason)
    {
        using var space = new TemporaryFolder();
        await using var broker = await MosquittoBroker.StartAsync();
        await using var probe = await MqttProbe.ConnectAsync(broker, "dunlin/v1/#");
        var setup = first.Again(space, broker.Port);
        await using var agent = AgentProcess.Run(setup);
        await probe.NextAsync(setup.Topic("result"), null, TimeSpan.FromSeconds(40));
        var worker = await agent.WorkerAsync();
        var before = probe.Messages.Count;
        ProcessTable.Signal(worker, signal);
        var reported = await probe.NextAsync(setup.Topic("reported"), m => m.Json.GetProperty("workerRestartCount").GetInt32() == 1, TimeSpan.FromSeconds(40));
        Assert.Contains(reason, reported.Json.GetProperty("reason").GetString(), StringComparison.OrdinalIgnoreCase);
        await agent.WorkerAsync(otherThan: worker);
        var since = probe.Messages.Count;
        await Eventually.TrueAsync(() => probe.Messages.Skip(since).Any(m => m.Topic == setup.Topic("result")), () => $"results go on; the agent said:\n{agent.Log}", TimeSpan.FromSeconds(40));
        var again = await probe.NextAsync(setup.Topic("reported"), m => m.Json.GetProperty("workerRestartCount").GetInt32() == 1 && m.Json.TryGetProperty("running", out _), TimeSpan.FromSeconds(40));
        Assert.DoesNotContain(reason, again.Json.GetProperty("reason").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.Contains(reason, again.Json.GetProperty("workerRestartReason").GetString(), StringComparison.OrdinalIgnoreCase);
        Assert.False(ProcessTable.IsAlive(worker));
        Assert.True(since > before);
    }

    [Fact]
    public async Task ChildrenDieWithASupervisorThatIsKilled()
    {
        using var space = new TemporaryFolder();
        var setup = first.Again(space, Ports.Free());
        await using var agent = AgentProcess.Run(setup);
        await agent.WorkerAsync();
        var children = agent.Children;
        agent.Kill();
        await agent.EndAsync();
        await Eventually.TrueAsync(() => !children.Any(ProcessTable.IsAlive), "all children are gone");
    }
}
