using System.Text.Json;
using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit.Machine;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>Death of the agent, and death or a hang of its worker, while a release is on trial (docs/promises.md, rows 20, 21).</summary>
public sealed class DeathInTrialTests(FirstRun first)
{
    private const double BoundSeconds = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task AWorkerThatDiesInTheTrialRollsBackAtOnceAndTheReleaseIsNotTriedAgain()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Updates:TrialSeconds=60");
        var (release, outcome) = await SignalInTrialAsync(board, "KILL");
        Assert.Equal(("rolledBack", "trial.crashed"), (outcome.GetProperty("result").GetString(), outcome.GetProperty("reason").GetString()));
        await board.ServesAsync(board.Factory, board.Probe.Messages.Count);
        Assert.Null(board.Active);
        var again = await board.Owner.PushAsync(release, board.Setup, board.Probe);
        outcome = await Owner.OutcomeAsync(again, board.Setup, board.Probe, board.Agent);
        Assert.Equal(("rejected", "release.quarantined"), (outcome.GetProperty("result").GetString(), outcome.GetProperty("reason").GetString()));
        board.InvariantsHold();
    }

    [Fact]
    public async Task AWorkerThatHangsRollsBack()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Updates:TrialSeconds=60");
        var (_, outcome) = await SignalInTrialAsync(board, "STOP");
        Assert.Contains("child.hung", outcome.GetProperty("detail").GetString(), StringComparison.Ordinal);
        await board.ServesAsync(board.Factory, board.Probe.Messages.Count);
    }

    [Fact]
    public async Task AnAgentThatDiesInEachTrialHasTheLastGoodReleaseAtTheFourthStartWithoutABroker()
    {
        await using var board = await UpdatedAgent.StartAsync(first);
        var good = board.Owner.Publish();
        await board.CommitsAsync(await board.Owner.PushAsync(good, board.Setup, board.Probe));
        var release = board.Owner.Publish();
        var directive = board.Owner.Direct(release, board.Setup, new() { TrialSeconds = 600, MinimumRuns = 5 });
        await board.Probe.PublishAsync(board.Setup.Topic("desired"), Contracts.Signing.DsseEnvelope.Format.Write(directive), retain: true);
        await board.ServesAsync(release, 0);
        await board.Broker.KillAsync();
        for (var start = 2; start <= 3; start++)
        {
            await board.KillAndStartAsync();
            await board.Agent.SaysAsync($"on trial, start {start}", Patience);
            await board.Agent.WorkerAsync();
        }

        await board.KillAndStartAsync();
        await board.Agent.SaysAsync("trial.restarts", Patience);
        await Eventually.TrueAsync(() => board.State == UpdateState.Idle, () => $"the roll-back is finished; the agent said:\n{board.Agent.Log}", Patience);
        Assert.Equal((StateLayout.ReleaseLink(good.Bundle.ReleaseId), StateLayout.ReleaseLink(good.Bundle.ReleaseId)), (board.Active, board.LastGood));
        await board.Agent.WorkerAsync();
        await board.Broker.StartAgainAsync();
        await using var later = await TestKit.Brokers.MqttProbe.ConnectAsync(board.Broker, "dunlin/v1/#");
        var outcome = (await later.NextAsync(board.Setup.Topic("outcome"), m => m.Json.GetProperty("release").GetString() == release.Id, Patience)).Json;
        Assert.Equal("trial.restarts", outcome.GetProperty("reason").GetString());
        await later.NextAsync(board.Setup.Topic("result"), m => m.Json.GetProperty("release").GetString() == good.Id, Patience);
    }

    /// <summary>Sends the worker a signal while a release is on trial, which ends within the bound of row 20.</summary>
    private static async Task<(Release Release, JsonElement Outcome)> SignalInTrialAsync(UpdatedAgent board, string signal)
    {
        var release = board.Owner.Publish();
        var directive = await board.Owner.PushAsync(release, board.Setup, board.Probe);
        await board.ServesAsync(release, 0);
        var sent = TimeProvider.System.GetTimestamp();
        ProcessTable.Signal(board.Agent.Worker!.Value, signal);
        var outcome = await Owner.OutcomeAsync(directive, board.Setup, board.Probe, board.Agent);
        var took = TimeProvider.System.GetElapsedTime(sent);
        TestContext.Current.TestOutputHelper?.WriteLine($"Rolled back {took.TotalSeconds:0.0} s after SIG{signal}");
        Assert.InRange(took.TotalSeconds, 0, BoundSeconds);
        return (release, outcome);
    }
}
