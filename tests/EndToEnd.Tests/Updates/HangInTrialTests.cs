using Dunlin.EndToEnd.Tests.Agents;

namespace Dunlin.EndToEnd.Tests.Updates;

/// <summary>A worker that hangs while a release is on trial (docs/promises.md, row 20).</summary>
public sealed class HangInTrialTests(FirstRun first)
{
    private const double BoundSeconds = 10;

    [Fact]
    public async Task AWorkerThatHangsRollsBack()
    {
        await using var board = await UpdatedAgent.StartAsync(first, "Updates:TrialSeconds=60");
        var release = board.Owner.Publish();
        var directive = await board.Owner.PushAsync(release, board.Setup, board.Probe);
        await board.ServesAsync(release, 0);
        var stopped = TimeProvider.System.GetTimestamp();
        ProcessTable.Signal(board.Agent.Worker!.Value, "STOP");
        var outcome = await Owner.OutcomeAsync(directive, board.Setup, board.Probe, board.Agent);
        var took = TimeProvider.System.GetElapsedTime(stopped).TotalSeconds;
        Assert.Contains("child.hung", outcome.GetProperty("detail").GetString(), StringComparison.Ordinal);
        TestContext.Current.TestOutputHelper?.WriteLine($"Rolled back {took:0.0} s after the hang began");
        Assert.InRange(took, 0, BoundSeconds);
        await board.ServesAsync(board.Factory, board.Probe.Messages.Count);
    }
}
