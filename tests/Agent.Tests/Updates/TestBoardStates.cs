using Dunlin.Contracts.Signing;
using Dunlin.Contracts.Updates;

namespace Dunlin.Agent.Tests.Updates;

/// <summary>Brings a board to a state from which a test goes on.</summary>
internal static class TestBoardStates
{
    /// <summary>A release serves on trial, and the board is off.</summary>
    public static async Task<(Release Release, DsseEnvelope Directive)> OnTrialAsync(this TestBoard board)
    {
        board.Start();
        await board.RunAsync(board.Fleet.Direct(board.Publish(1)));
        board.Window = _ => null;
        var release = board.Publish(2);
        var directive = board.Fleet.Direct(release);
        board.Send(directive);
        await board.UntilAsync(() => board.Journal.State == UpdateState.Trial && board.Served[^1] == release.Id, "it is on trial");
        await board.StopAsync();
        return (release, directive);
    }

    /// <summary>A directive is being fetched for, and the fetch waits.</summary>
    public static async Task<DsseEnvelope> InFetchAsync(this TestBoard board)
    {
        var reached = board.HoldAt("fetch");
        board.Start();
        var directive = board.Fleet.Direct(board.Publish(1));
        board.Send(directive);
        await board.UntilAsync(() => reached.Task.IsCompleted, "it fetches");
        return directive;
    }

    /// <summary>Completes when the update comes there, where it waits.</summary>
    public static TaskCompletionSource HoldAt(this TestBoard board, string where)
    {
        var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        board.Hold(where, reached);
        return reached;
    }
}
