using System.Text.Json;
using Dunlin.Contracts.Signing;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit.Onnx;
using Dunlin.TestKit.Samples;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>Releases that pass every check and are bad all the same: the trial finds them, and the device serves on (docs/promises.md, row 20).</summary>
public sealed class PoisonedReleaseTests(FirstRun first)
{
    [Fact]
    public async Task ResultsThatAreNoNumbersRollBack()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Updates:TrialSeconds=30");
        var release = board.Owner.Publish(("poisoned", OnnxModels.NotANumberInBetween(MadeBundle.Side)));
        var outcome = await RollsBackAsync(board, release, null);
        Assert.True(outcome.GetProperty("reason").GetString() == "trial.not-finite", $"{outcome}\n{board.Agent.Log}");
    }

    // Row 39 of the safety promises, too.
    [Fact]
    public async Task AWorkerThatWantsMoreMemoryThanThereIsRollsBackAndTheAgentStands()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Updates:TrialSeconds=30");
        var release = board.Owner.Publish(("hungry", OnnxModels.HungryForContrast(MadeBundle.Side)));
        var agent = board.Agent.Id;
        var outcome = await RollsBackAsync(board, release, null);
        TestContext.Current.TestOutputHelper?.WriteLine($"{outcome}");
        Assert.True(outcome.GetProperty("reason").GetString() == "trial.crashed", $"{outcome}\n{board.Agent.Log}");
        Assert.Equal((agent, false), (board.Agent.Id, board.Agent.HasExited));
    }

    [Fact]
    public async Task ALatencyAboveTheDirectivesRollsBack()
    {
        await using var board = await UpdatedAgent.StartAsync(first);
        var outcome = await RollsBackAsync(board, board.Owner.Publish(), new DirectivePolicy { TrialSeconds = 5, MinimumRuns = 5, MaximumP95Milliseconds = 0.001 });
        Assert.Equal("trial.slow", outcome.GetProperty("reason").GetString());
    }

    private static async Task<JsonElement> RollsBackAsync(UpdatedAgent board, Release release, DirectivePolicy? policy)
    {
        var directive = await board.Owner.PushAsync(release, board.Setup, board.Probe, policy);
        var outcome = await Owner.OutcomeAsync(directive, board.Setup, board.Probe, board.Agent);
        Assert.True(outcome.GetProperty("result").GetString() == "rolledBack", $"{outcome}\n{board.Agent.Log}");
        await board.ServesAsync(board.Factory, board.Probe.Messages.Count);
        Assert.Null(board.Active);
        board.InvariantsHold();
        return outcome;
    }
}
