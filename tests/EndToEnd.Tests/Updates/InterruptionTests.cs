using Dunlin.Contracts.Updates;
using Dunlin.EndToEnd.Tests.Agents;
using Dunlin.TestKit.Waiting;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>kill -9 of the agent in the middle of an update (docs/promises.md, row 14).</summary>
public sealed class InterruptionTests(FirstRun first)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task KilledInEachStateItGoesOnAndCommitsWithOneOutcome()
    {
        await using var board = await UpdatedAgent.StartAsync(first);
        foreach (var state in (UpdateState[])[UpdateState.Received, UpdateState.Fetching, UpdateState.Checked, UpdateState.Raced, UpdateState.Trial])
        {
            var release = board.Owner.Publish();
            // So slow that there is time to meet each state.
            board.Owner.Server.BytesPerSecond = state <= UpdateState.Fetching ? 200_000 : 0;
            var directive = await board.Owner.PushAsync(release, board.Setup, board.Probe);
            await Eventually.TrueAsync(() => board.State >= state && board.State < UpdateState.Committed, () => $"the update comes to {state}; the agent said:\n{board.Agent.Log}", Patience);
            var met = board.State;
            await board.KillAndStartAsync();
            board.Owner.Server.BytesPerSecond = 0;
            await board.CommitsAsync(directive);
            TestContext.Current.TestOutputHelper?.WriteLine($"Killed in {met}");
            await Eventually.TrueAsync(() => board.State == UpdateState.Idle, "the update is over");
            Assert.Equal((StateLayout.ReleaseLink(release.Bundle.ReleaseId), StateLayout.ReleaseLink(release.Bundle.ReleaseId)), (board.Active, board.LastGood));
            board.InvariantsHold();
        }
    }
}
